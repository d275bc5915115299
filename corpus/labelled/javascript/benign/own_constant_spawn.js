// capabilities: none; resembles: spawn as own constant
const spawn = [3, 1, 2];

spawn.sort();
console.log(spawn.length, spawn[0]);
