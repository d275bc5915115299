// capabilities: none; resembles: performance as key of an object
const prices = { performance: 3, other: 4 };

let total = 0;
for (const name of ['performance', 'other']) {
  total += prices[name];
}
console.log(total, prices.performance);
