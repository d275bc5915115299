// capabilities: none; resembles: http as property of an own object
const car = {};
car.http = 'set';

if (car.http) {
  console.log(`${car.http}!`);
}
