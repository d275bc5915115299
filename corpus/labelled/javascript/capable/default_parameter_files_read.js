// capabilities: files-read; hidden by: default parameter
function start(kit = require('fs')) {
  return kit.readFileSync('/nonexistent/a');
}

console.log(start());
