// capabilities: none; resembles: exec as key of an object
const prices = { exec: 3, other: 4 };

let total = 0;
for (const name of ['exec', 'other']) {
  total += prices[name];
}
console.log(total, prices.exec);
