// capabilities: processes; hidden by: concat method
const name = 'child'.concat('_', 'process');

require(name).execSync('echo ready');
