// capabilities: none; resembles: module
const add = (a, b) => a + b;

module.exports = { add, exec: add };
exports.version = 3;
