// capabilities: none; resembles: process
const schedule = (processes) => processes.map((process) => process.pid + process.env);

console.log(schedule([{ pid: 1, env: 2 }]));
