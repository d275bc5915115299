// capabilities: none; resembles: text in a timer
setImmediate(() => console.log('soon'));

console.log('now');
