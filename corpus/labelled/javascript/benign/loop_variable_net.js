// capabilities: none; resembles: net as loop variable
for (const net of ['a', 'b']) {
  console.log(net.toUpperCase());
}

console.log([1, 2].map((net) => net * 2));
