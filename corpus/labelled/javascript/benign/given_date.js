// capabilities: none; resembles: time
const stamp = new Date('2024-02-27T00:00:00Z');

console.log(Date.UTC(2024, 1, 27) === stamp.getTime());
