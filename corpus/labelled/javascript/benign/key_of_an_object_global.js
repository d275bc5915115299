// capabilities: none; resembles: global as key of an object
const prices = { global: 3, other: 4 };

let total = 0;
for (const name of ['global', 'other']) {
  total += prices[name];
}
console.log(total, prices.global);
