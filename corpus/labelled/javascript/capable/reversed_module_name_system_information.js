// capabilities: system-information; hidden by: reversed module name
const name = 'so'.split('').reverse().join('');
const kit = require(name);
console.log(kit.userInfo());
