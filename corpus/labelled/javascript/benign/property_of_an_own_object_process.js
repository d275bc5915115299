// capabilities: none; resembles: process as property of an own object
const car = {};
car.process = 'set';

if (car.process) {
  console.log(`${car.process}!`);
}
