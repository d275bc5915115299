// capabilities: none; resembles: http
const { STATUS_CODES } = require('http');

console.log(STATUS_CODES[404]);
