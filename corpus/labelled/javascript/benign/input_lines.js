// capabilities: none; resembles: files
const readline = require('readline');

const lines = readline.createInterface({ input: process.stdin });
let total = 0;
lines.on('line', (line) => {
  total += line.length;
});
lines.on('close', () => console.log(total));
