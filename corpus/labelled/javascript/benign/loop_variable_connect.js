// capabilities: none; resembles: connect as loop variable
for (const connect of ['a', 'b']) {
  console.log(connect.toUpperCase());
}

console.log([1, 2].map((connect) => connect * 2));
