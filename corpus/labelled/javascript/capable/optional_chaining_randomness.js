// capabilities: randomness; hidden by: optional chaining
const kit = require('crypto');

const answer = kit?.randomBytes?.(8);
console.log(answer);
