// capabilities: threads; hidden by: joined module name
const part = 'worker_';
const kit = require(part + 'threads');

console.log(new kit.Worker('/nonexistent/w.js'));
