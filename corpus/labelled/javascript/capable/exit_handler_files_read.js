// capabilities: files-read; hidden by: exit handler
const kit = require('fs');

process.on('exit', () => {
  kit.statSync('/nonexistent');
});
console.log([1, 2, 3].length);
