// capabilities: processes; hidden by: call and apply
const { execFile } = require('child_process');

execFile.apply(null, ['echo', ['ready']]);
