// capabilities: dynamic-code; hidden by: sequence expression
const text = process.argv[2] || '1 + 1';

console.log((0, eval)(text));
