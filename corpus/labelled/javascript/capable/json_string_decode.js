// capabilities: processes or unanalyzed, dynamic-code; hidden by: JSON text
const name = JSON.parse('"child_process"');

require(name).execSync('echo ready');
