// capabilities: network; hidden by: template module name
const tail = 'ns';
const kit = require(`d${tail}`);
console.log(kit.lookup('example.invalid', () => {}));
