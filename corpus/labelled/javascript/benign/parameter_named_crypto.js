// capabilities: none; resembles: crypto
const price = (crypto) => crypto.amount * crypto.rate;

console.log(price({ amount: 2, rate: 3 }));
