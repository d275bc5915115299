// capabilities: files-read; hidden by: object property
const tools = { kit: require('fs') };

const start = () => tools.kit.statSync('/nonexistent');
console.log(start());
