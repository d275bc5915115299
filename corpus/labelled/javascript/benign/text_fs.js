// capabilities: none; resembles: fs as text
const text = "fs('x')";

console.log(text.includes('fs'), /fs\(/.test(text));
