// capabilities: none; resembles: process
function process(items) {
  return items.map((item) => item * 2);
}

console.log(process([1, 2]));
