// capabilities: none; resembles: navigator as loop variable
for (const navigator of ['a', 'b']) {
  console.log(navigator.toUpperCase());
}

console.log([1, 2].map((navigator) => navigator * 2));
