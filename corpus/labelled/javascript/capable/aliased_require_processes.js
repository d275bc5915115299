// capabilities: processes; hidden by: aliased require
const load = require;
const kit = load('child_process');

console.log(kit.spawn('echo', ['ready']));
