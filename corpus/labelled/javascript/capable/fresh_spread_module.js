// capabilities: processes; hidden by: spread arguments
const tools = { ...require('child_process') };

tools.spawn('echo', ['ready']);
