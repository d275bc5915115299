// capabilities: dynamic-code; hidden by: module internals
const Module = require('module');

const made = new Module('made');
made._compile('module.exports = 3', '/nonexistent/made.js');
console.log(made.exports);
