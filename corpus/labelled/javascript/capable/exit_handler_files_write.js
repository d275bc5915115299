// capabilities: files-write; hidden by: exit handler
const kit = require('fs');

process.on('exit', () => {
  kit.writeFileSync('/nonexistent/a', 'x');
});
console.log([1, 2, 3].length);
