// capabilities: system-information; hidden by: optional chaining
const kit = require('os');

const answer = kit?.cpus?.();
console.log(answer);
