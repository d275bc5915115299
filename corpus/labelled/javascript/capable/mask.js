// capabilities: system-change; hidden by: destructuring
const { umask } = process;

console.log(umask(0o022));
