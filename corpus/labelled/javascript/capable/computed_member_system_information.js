// capabilities: system-information; hidden by: computed member
const kit = require('os');

const name = 'user' + 'Info';
console.log(kit[name]());
