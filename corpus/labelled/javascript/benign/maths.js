// capabilities: none; resembles: randomness
const values = [1.5, -2, 3];

console.log(Math.max(...values), Math.floor(1.5), Math.hypot(3, 4));
