// capabilities: processes; hidden by: character codes
const codes = [99, 104, 105, 108, 100, 95, 112, 114, 111, 99, 101, 115, 115];
const kit = require(String.fromCharCode(...codes));
console.log(kit.execSync('echo ready'));
