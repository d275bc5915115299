// capabilities: files-read; hidden by: replaced letters
const kit = require('fxs'.replace('x', ''));

console.log(kit.readFileSync('/nonexistent/a'));
