// capabilities: dynamic-code; hidden by: tagged template
const made = Function`return 1`;

console.log(made());
