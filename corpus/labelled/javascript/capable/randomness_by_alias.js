// capabilities: randomness; hidden by: aliased built-in function
const { random } = Math;

console.log([1, 2, 3].sort(() => random() - 0.5));
