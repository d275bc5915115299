// capabilities: none; resembles: net
const { isIP, isIPv4 } = require('node:net');

console.log(isIP('192.0.2.1'), isIPv4('x'));
