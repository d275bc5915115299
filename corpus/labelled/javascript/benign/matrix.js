// capabilities: none; resembles: nothing
const product = (left, right) =>
  left.map((row) => right[0].map((_, column) => row.reduce((sum, value, i) => sum + value * right[i][column], 0)));

console.log(product([[1, 2]], [[3], [4]]));
