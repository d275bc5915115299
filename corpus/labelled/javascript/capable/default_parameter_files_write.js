// capabilities: files-write; hidden by: default parameter
function start(kit = require('fs')) {
  return kit.mkdirSync('/nonexistent/new');
}

console.log(start());
