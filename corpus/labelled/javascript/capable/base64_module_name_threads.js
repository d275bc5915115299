// capabilities: threads; hidden by: base64 module name
const name = Buffer.from('d29ya2VyX3RocmVhZHM=', 'base64').toString();
const kit = require(name);
console.log(new kit.Worker('/nonexistent/w.js'));
