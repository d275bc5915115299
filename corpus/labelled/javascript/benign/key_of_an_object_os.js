// capabilities: none; resembles: os as key of an object
const prices = { os: 3, other: 4 };

let total = 0;
for (const name of ['os', 'other']) {
  total += prices[name];
}
console.log(total, prices.os);
