// capabilities: files-read; hidden by: array of functions
const kit = require('fs');

const steps = [Math.abs, kit.readdirSync];
console.log(steps[1]('/nonexistent'));
