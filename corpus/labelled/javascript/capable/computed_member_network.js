// capabilities: network; hidden by: computed member
const kit = require('net');

const name = 'con' + 'nect';
console.log(kit[name](443, '192.0.2.1'));
