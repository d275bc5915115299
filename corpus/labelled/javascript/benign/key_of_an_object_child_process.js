// capabilities: none; resembles: child_process as key of an object
const prices = { child_process: 3, other: 4 };

let total = 0;
for (const name of ['child_process', 'other']) {
  total += prices[name];
}
console.log(total, prices.child_process);
