// capabilities: dynamic-code; hidden by: aliased require
const load = require;
const kit = load('vm');

console.log(kit.runInNewContext('1 + 1', {}));
