// capabilities: network; hidden by: nothing
const kit = require('net');

function main() {
  const answer = kit.connect(443, '192.0.2.1');
  console.log(String(answer));
}

main();
