// capabilities: network; hidden by: template string member
const kit = require('http');
const head = 'g';

console.log(kit[`${head}et`]('http://example.invalid/'));
