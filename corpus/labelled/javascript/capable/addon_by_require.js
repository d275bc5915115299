// capabilities: native-code; hidden by: native add-on
const fast = require('./build/Release/fast.node');

console.log(fast.sum(1, 2));
