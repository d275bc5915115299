// capabilities: processes; hidden by: copied object
const tools = Object.assign({}, require('child_process'));

tools.execSync('echo ready');
