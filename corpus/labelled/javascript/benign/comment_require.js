// capabilities: none; resembles: require as comment
// Never calls require() and needs no require.
const count = (text) => text.split(' ').length;

/* require(text) would be wrong */
console.log(count('a b'));
