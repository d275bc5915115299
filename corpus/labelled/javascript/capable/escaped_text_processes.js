// capabilities: processes; hidden by: escaped text
const kit = require('\x63\x68\x69\x6c\x64\x5f\x70\x72\x6f\x63\x65\x73\x73');

const answer = kit.spawn('echo', ['ready']);
console.log(answer);
