// capabilities: none; resembles: binding as property of an own object
const car = {};
car.binding = 'set';

if (car.binding) {
  console.log(`${car.binding}!`);
}
