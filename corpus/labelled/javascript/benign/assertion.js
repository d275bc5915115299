// capabilities: none; resembles: nothing
const assert = require('node:assert/strict');

assert.equal(1 + 1, 2);
assert.deepEqual({ a: [1] }, { a: [1] });
