// capabilities: none; resembles: Function constructor
const value = () => 1;

console.log(typeof value === 'function', value instanceof Function);
