// capabilities: none; resembles: fetch as key of an object
const prices = { fetch: 3, other: 4 };

let total = 0;
for (const name of ['fetch', 'other']) {
  total += prices[name];
}
console.log(total, prices.fetch);
