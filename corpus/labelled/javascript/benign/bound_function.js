// capabilities: none; resembles: Function constructor
function greet(greeting) {
  return `${greeting} ${this.name}`;
}

console.log(greet.bind({ name: 'a' })('hello'), greet.call({ name: 'b' }, 'x'));
