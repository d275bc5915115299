// capabilities: none; resembles: process as own constant
const process = [3, 1, 2];

process.sort();
console.log(process.length, process[0]);
