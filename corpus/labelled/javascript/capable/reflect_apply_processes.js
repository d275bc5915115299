// capabilities: processes; hidden by: Reflect.apply
const kit = require('cluster');

const given = [];
console.log(Reflect.apply(kit.fork, kit, given));
