// capabilities: threads; hidden by: escaped text
const kit = require('\x77\x6f\x72\x6b\x65\x72\x5f\x74\x68\x72\x65\x61\x64\x73');

const answer = new kit.Worker('/nonexistent/w.js');
console.log(answer);
