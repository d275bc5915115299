// capabilities: files-write; hidden by: object property
const tools = { kit: require('fs') };

const start = () => tools.kit.writeFileSync('/nonexistent/a', 'x');
console.log(start());
