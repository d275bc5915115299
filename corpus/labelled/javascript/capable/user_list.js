// capabilities: files-read, system-information; hidden by: nothing
const { readFileSync } = require('fs');

console.log(readFileSync('/etc/passwd', 'utf8').split('\n').length);
