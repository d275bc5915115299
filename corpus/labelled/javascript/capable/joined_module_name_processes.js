// capabilities: processes; hidden by: joined module name
const part = 'child_';
const kit = require(part + 'process');

console.log(kit.spawn('echo', ['ready']));
