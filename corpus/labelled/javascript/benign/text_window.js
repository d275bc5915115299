// capabilities: none; resembles: window as text
const text = "window('x')";

console.log(text.includes('window'), /window\(/.test(text));
