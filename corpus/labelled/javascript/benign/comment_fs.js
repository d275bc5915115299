// capabilities: none; resembles: fs as comment
// Never calls fs() and needs no fs.
const count = (text) => text.split(' ').length;

/* fs(text) would be wrong */
console.log(count('a b'));
