// capabilities: dynamic-code; hidden by: escaped text
const kit = require('\x76\x6d');

const answer = kit.runInThisContext('1 + 1');
console.log(answer);
