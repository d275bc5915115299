// capabilities: network; hidden by: nothing
const { createServer } = require('node:http');

const server = createServer((request, response) => response.end('ok'));
server.listen(0, () => server.close());
