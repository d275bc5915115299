// capabilities: files-read; hidden by: destructuring
const { readdirSync, ...others } = require('fs');

console.log(readdirSync('/nonexistent'), Object.keys(others).length);
