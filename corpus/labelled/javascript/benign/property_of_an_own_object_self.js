// capabilities: none; resembles: self as property of an own object
const car = {};
car.self = 'set';

if (car.self) {
  console.log(`${car.self}!`);
}
