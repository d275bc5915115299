// capabilities: none; resembles: nothing
const seen = new Set(['fork', 'kill']);
const sizes = new Map([['spawn', 3]]);

console.log(seen.has('fork'), sizes.get('spawn'));
