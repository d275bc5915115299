// capabilities: none; resembles: introspection
const util = require('util');

console.log(util.inspect({ a: { b: { c: 1 } } }, { depth: 1 }));
