// capabilities: processes; hidden by: module.require
function helper() {
  return module.require('child_process');
}

const kit = helper();
console.log(kit.execSync('echo ready'));
