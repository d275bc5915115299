// capabilities: none; resembles: crypto
const prices = new Map([['crypto', 3], ['process', 4]]);

console.log([...prices.keys()].join());
