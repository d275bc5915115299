// capabilities: files-write; hidden by: destructuring
const { createWriteStream: sink } = require('fs');

const out = sink('/nonexistent/out.log', { flags: 'a' });
out.end('line\n');
