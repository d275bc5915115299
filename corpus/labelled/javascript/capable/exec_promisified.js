// capabilities: processes; hidden by: promisify
const util = require('util');
const run = util.promisify(require('child_process').exec);

run('echo ready').then(({ stdout }) => console.log(stdout));
