// capabilities: none; resembles: prototype
const object = { a: 1 };

console.log(Object.prototype.hasOwnProperty.call(object, 'a'));
