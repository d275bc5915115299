// capabilities: network; hidden by: reversed module name
const name = 'margd'.split('').reverse().join('');
const kit = require(name);
console.log(kit.createSocket('udp4'));
