// capabilities: none; resembles: binding as own constant
const binding = [3, 1, 2];

binding.sort();
console.log(binding.length, binding[0]);
