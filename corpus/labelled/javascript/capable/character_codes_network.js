// capabilities: network; hidden by: character codes
const codes = [110, 101, 116];
const kit = require(String.fromCharCode(...codes));
console.log(kit.connect(443, '192.0.2.1'));
