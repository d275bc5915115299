// capabilities: none; resembles: exec
const pattern = /a(b)/g;
let match;

while ((match = pattern.exec('abab')) !== null) {
  console.log(match.index);
}
