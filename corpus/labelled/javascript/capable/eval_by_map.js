// capabilities: dynamic-code; hidden by: map
const lines = ['1 + 1', '2 * 2'];

console.log(lines.map(eval));
