// capabilities: files-read; hidden by: module.require
function helper() {
  return module.require('fs');
}

const kit = helper();
console.log(kit.statSync('/nonexistent'));
