// capabilities: dynamic-code, randomness; hidden by: text in eval
const answer = eval("require('crypto').randomBytes(8)");

console.log(answer);
