// capabilities: dynamic-code; hidden by: constructor property
const Make = (function* () {}).constructor;

console.log([...Make('yield 1')()]);
