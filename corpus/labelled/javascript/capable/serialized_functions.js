// capabilities: unsafe-deserialization; hidden by: third-party module
const serialize = require('node-serialize');

console.log(serialize.unserialize('{"a":1}'));
