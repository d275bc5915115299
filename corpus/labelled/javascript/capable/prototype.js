// capabilities: introspection; hidden by: __proto__
const settings = JSON.parse('{"a": 1}');
settings.__proto__.level = 3;

console.log({}.level);
