// capabilities: none; resembles: Proxy as text
const text = "Proxy('x')";

console.log(text.includes('Proxy'), /Proxy\(/.test(text));
