// capabilities: dynamic-code; hidden by: Function constructor
const add = Function('a', 'b', 'return a + b');

console.log(add(1, 2));
