// capabilities: introspection; hidden by: nothing
const base = { greet: () => 'hello' };
const child = {};
Object.setPrototypeOf(child, base);

console.log(child.greet());
