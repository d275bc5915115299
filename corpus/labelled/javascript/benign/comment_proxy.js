// capabilities: none; resembles: Proxy as comment
// Never calls Proxy() and needs no Proxy.
const count = (text) => text.split(' ').length;

/* Proxy(text) would be wrong */
console.log(count('a b'));
