// capabilities: none; resembles: constructor
const isPlain = (value) => value !== null && value.constructor === Object;

console.log(isPlain({}), isPlain([]));
