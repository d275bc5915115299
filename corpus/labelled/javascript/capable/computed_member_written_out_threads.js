// capabilities: threads; hidden by: computed member written out
const kit = require('worker_threads');

const value = new kit['Worker']('/nonexistent/w.js');
console.log(value);
