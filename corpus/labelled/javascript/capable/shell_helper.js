// capabilities: files-read, files-write, processes; hidden by: third-party module
const shell = require('shelljs');

shell.exec('echo ready');
