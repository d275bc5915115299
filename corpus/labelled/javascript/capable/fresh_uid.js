// capabilities: system-information; hidden by: optional chaining
const id = process.getuid?.() ?? -1;

console.log(id);
