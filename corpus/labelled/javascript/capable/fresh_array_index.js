// capabilities: network; hidden by: array of names
const modules = ['path', 'net'];
const kit = require(modules[1]);

kit.connect(80, '192.0.2.1');
