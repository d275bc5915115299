// capabilities: none; resembles: crypto
const { createHash } = require('crypto');

console.log(createHash('sha256').update('x').digest('hex'));
