// capabilities: none; resembles: exec
const pattern = /(\d+)-(\d+)/;
const found = pattern.exec('10-20');

console.log(found[1], found[2]);
