// capabilities: processes; hidden by: promise
Promise.resolve('child_process')
  .then((name) => require('child_process'))
  .then((kit) => kit.execSync('echo ready'));
