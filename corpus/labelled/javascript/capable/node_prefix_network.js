// capabilities: network; hidden by: node prefix
'use strict';
const { get: step } = require('node:http');

for (let round = 0; round < 1; round += 1) {
  console.log(step('http://example.invalid/'));
}
