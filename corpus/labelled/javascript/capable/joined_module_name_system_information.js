// capabilities: system-information; hidden by: joined module name
const part = 'o';
const kit = require(part + 's');

console.log(kit.hostname());
