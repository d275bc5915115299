// capabilities: none; resembles: constructor
class Shape {}

const shape = new Shape();
console.log(shape.constructor.name, shape.constructor === Shape);
