// capabilities: threads; hidden by: computed member
const kit = require('worker_threads');

const name = 'Wor' + 'ker';
console.log(new kit[name]('/nonexistent/w.js'));
