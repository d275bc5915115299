// capabilities: none; resembles: Worker as property of an own object
const car = {};
car.Worker = 'set';

if (car.Worker) {
  console.log(`${car.Worker}!`);
}
