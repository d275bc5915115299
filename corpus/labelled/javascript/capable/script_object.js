// capabilities: dynamic-code; hidden by: nothing
const vm = require('node:vm');

const script = new vm.Script('1 + x');
console.log(script.runInNewContext({ x: 2 }));
