// capabilities: none; resembles: self as own constant
const self = [3, 1, 2];

self.sort();
console.log(self.length, self[0]);
