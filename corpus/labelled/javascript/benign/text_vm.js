// capabilities: none; resembles: vm as text
const text = "vm('x')";

console.log(text.includes('vm'), /vm\(/.test(text));
