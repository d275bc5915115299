// capabilities: none; resembles: Function constructor
const compose = (...steps) => (value) => steps.reduce((made, step) => step(made), value);

console.log(compose((x) => x + 1, (x) => x * 2)(3));
