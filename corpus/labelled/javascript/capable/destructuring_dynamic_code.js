// capabilities: dynamic-code; hidden by: destructuring
const { runInNewContext, ...others } = require('vm');

console.log(runInNewContext('1 + 1', {}), Object.keys(others).length);
