// capabilities: none; resembles: time
const start = new Date(2024, 1, 28);

start.setDate(start.getDate() + 2);
console.log(start.getMonth());
