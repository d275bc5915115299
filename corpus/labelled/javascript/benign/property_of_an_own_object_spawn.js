// capabilities: none; resembles: spawn as property of an own object
const car = {};
car.spawn = 'set';

if (car.spawn) {
  console.log(`${car.spawn}!`);
}
