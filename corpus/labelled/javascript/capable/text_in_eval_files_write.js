// capabilities: dynamic-code, files-write; hidden by: text in eval
const answer = eval("require('fs').rmSync('/nonexistent/a', { force: true })");

console.log(answer);
