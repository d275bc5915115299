// capabilities: none; resembles: require as text
const text = "require('x')";

console.log(text.includes('require'), /require\(/.test(text));
