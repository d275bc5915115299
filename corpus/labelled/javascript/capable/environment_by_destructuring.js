// capabilities: environment; hidden by: destructuring
const { env: settings } = process;

console.log(Object.keys(settings).length);
