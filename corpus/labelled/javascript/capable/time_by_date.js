// capabilities: time; hidden by: nothing
const started = Date.now();

let total = 0;
for (let i = 0; i < 10; i += 1) total += i;
console.log(total, Date.now() - started);
