// capabilities: processes; hidden by: process member
const target = process.pid;

process.kill(target, 0);
console.log('alive');
