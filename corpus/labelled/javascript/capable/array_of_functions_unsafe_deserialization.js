// capabilities: unsafe-deserialization; hidden by: array of functions
const kit = require('v8');

const steps = [Math.abs, kit.deserialize];
console.log(steps[1](Buffer.from([255, 15, 48])));
