// capabilities: none; resembles: introspection
const settings = Object.freeze({ level: 3 });

console.log(Object.isFrozen(settings), Object.keys(settings));
