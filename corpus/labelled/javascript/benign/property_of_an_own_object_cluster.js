// capabilities: none; resembles: cluster as property of an own object
const car = {};
car.cluster = 'set';

if (car.cluster) {
  console.log(`${car.cluster}!`);
}
