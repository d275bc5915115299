// capabilities: none; resembles: window as comment
// Never calls window() and needs no window.
const count = (text) => text.split(' ').length;

/* window(text) would be wrong */
console.log(count('a b'));
