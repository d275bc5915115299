// capabilities: none; resembles: Worker as own constant
const Worker = [3, 1, 2];

Worker.sort();
console.log(Worker.length, Worker[0]);
