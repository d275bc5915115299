// capabilities: dynamic-code, files-read; hidden by: nothing
const fs = require('fs');

const text = fs.readFileSync('/nonexistent/plugin.js', 'utf8');
eval(text);
