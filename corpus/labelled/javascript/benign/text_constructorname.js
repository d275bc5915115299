// capabilities: none; resembles: constructorName as text
const text = "constructorName('x')";

console.log(text.includes('constructorName'), /constructorName\(/.test(text));
