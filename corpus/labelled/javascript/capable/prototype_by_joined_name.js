// capabilities: introspection; hidden by: computed member
const key = '__pro' + 'to__';
const object = {};
object[key].level = 3;

console.log({}.level);
