// capabilities: time; hidden by: object
const label = new Date().toISOString();

console.log(`made at ${label}`);
