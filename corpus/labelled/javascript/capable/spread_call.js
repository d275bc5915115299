// capabilities: processes; hidden by: spread arguments
const kit = require('child_process');
const given = ['echo', ['ready']];

kit.spawnSync(...given);
