// capabilities: none; resembles: base64
const packed = Buffer.from("require('fs')").toString('base64');

console.log(packed, Buffer.from(packed, 'base64').length);
