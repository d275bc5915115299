// capabilities: none; resembles: third-party module
const _ = require('lodash');

console.log(_.chunk([1, 2, 3], 2), _.get({ a: { b: 1 } }, 'a.b'));
