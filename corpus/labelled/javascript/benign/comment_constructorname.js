// capabilities: none; resembles: constructorName as comment
// Never calls constructorName() and needs no constructorName.
const count = (text) => text.split(' ').length;

/* constructorName(text) would be wrong */
console.log(count('a b'));
