// capabilities: none; resembles: eval
const settings = JSON.parse('{"eval": "x", "require": [1]}');

console.log(settings.eval, settings.require.length);
