// capabilities: processes; hidden by: template string member
const kit = require('child_process');
const head = 'exec';

console.log(kit[`${head}Sync`]('echo ready'));
