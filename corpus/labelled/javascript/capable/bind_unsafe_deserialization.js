// capabilities: unsafe-deserialization; hidden by: bind
const kit = require('v8');

const ready = kit.deserialize.bind(kit);
setImmediate(() => ready(Buffer.from([255, 15, 48])));
