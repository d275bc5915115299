// capabilities: none; resembles: character codes
const text = String.fromCharCode(101, 118, 97, 108);

console.log(text, text.charCodeAt(0));
