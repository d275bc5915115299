// capabilities: none; resembles: process
const names = process.argv.slice(2);

process.stdout.write(`${names.length}\n`);
process.exitCode = 0;
