// capabilities: files-read; hidden by: Reflect.apply
const kit = require('fs');

const given = ['/nonexistent/a'];
console.log(Reflect.apply(kit.readFileSync, kit, given));
