// capabilities: files-read; hidden by: logical assignment
let kit;
kit ??= require('fs');

console.log(kit.existsSync('/nonexistent'));
