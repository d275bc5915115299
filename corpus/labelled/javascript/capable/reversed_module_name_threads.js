// capabilities: threads; hidden by: reversed module name
const name = 'sdaerht_rekrow'.split('').reverse().join('');
const kit = require(name);
console.log(new kit.Worker('/nonexistent/w.js'));
