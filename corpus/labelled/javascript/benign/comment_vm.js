// capabilities: none; resembles: vm as comment
// Never calls vm() and needs no vm.
const count = (text) => text.split(' ').length;

/* vm(text) would be wrong */
console.log(count('a b'));
