// capabilities: none; resembles: nothing
const names = ['b', 'ä', 'a'];

console.log(names.sort((left, right) => left.localeCompare(right)));
