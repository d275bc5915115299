// capabilities: dynamic-code; hidden by: constructor property
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
const task = new AsyncFunction('value', 'return value + 1');

task(1).then(console.log);
