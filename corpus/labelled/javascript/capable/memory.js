// capabilities: system-information; hidden by: process member
const used = process.memoryUsage().heapUsed;

console.log(Math.round(used / 1024));
