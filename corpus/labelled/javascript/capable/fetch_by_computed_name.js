// capabilities: network or unanalyzed; hidden by: globalThis and a computed name
const letters = process.argv.slice(2);
const name = letters.join('');

console.log(globalThis[name]('http://example.invalid/'));
