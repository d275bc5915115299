// capabilities: none; resembles: crypto as loop variable
for (const crypto of ['a', 'b']) {
  console.log(crypto.toUpperCase());
}

console.log([1, 2].map((crypto) => crypto * 2));
