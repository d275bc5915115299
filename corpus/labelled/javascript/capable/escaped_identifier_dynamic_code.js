// capabilities: dynamic-code; hidden by: escaped identifier
const kit = require('vm');

const answer = kit.\u0072unInNewContext('1 + 1', {});
console.log(answer);
