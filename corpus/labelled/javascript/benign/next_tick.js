// capabilities: none; resembles: process
process.nextTick(() => console.log('later'));

queueMicrotask(() => console.log('soon'));
console.log('now');
