// capabilities: native-code, processes or unanalyzed; hidden by: process.binding
const { Process } = process.binding('spawn_sync');

console.log(typeof Process);
