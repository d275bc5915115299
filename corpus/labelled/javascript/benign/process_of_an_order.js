// capabilities: none; resembles: process
const order = { items: [1, 2], process: (items) => items.length };

console.log(order.process(order.items));
