// capabilities: none; resembles: introspection
const table = Object.create(null);
table.constructorName = 'x';

console.log('constructorName' in table);
