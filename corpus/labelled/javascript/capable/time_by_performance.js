// capabilities: time; hidden by: destructuring
const { performance: clock } = require('perf_hooks');

console.log(clock.now());
