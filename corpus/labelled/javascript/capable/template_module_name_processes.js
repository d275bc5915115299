// capabilities: processes; hidden by: template module name
const tail = 'ster';
const kit = require(`clu${tail}`);
console.log(kit.fork());
