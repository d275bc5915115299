// capabilities: files-write; hidden by: destructuring
const { promises: files } = require('node:fs');

files.appendFile('/nonexistent/log', 'x').catch(() => {});
