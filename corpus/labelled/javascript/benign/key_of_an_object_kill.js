// capabilities: none; resembles: kill as key of an object
const prices = { kill: 3, other: 4 };

let total = 0;
for (const name of ['kill', 'other']) {
  total += prices[name];
}
console.log(total, prices.kill);
