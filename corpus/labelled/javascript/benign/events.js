// capabilities: none; resembles: process
const EventEmitter = require('events');

const bus = new EventEmitter();
bus.on('exec', (name) => console.log(name));
bus.emit('exec', 'kill');
