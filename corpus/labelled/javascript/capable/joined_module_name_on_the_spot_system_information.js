// capabilities: system-information; hidden by: joined module name on the spot
function open() {
  return require('o' + 's');
}
console.log(open().cpus());
