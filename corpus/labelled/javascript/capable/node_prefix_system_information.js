// capabilities: system-information; hidden by: node prefix
'use strict';
const { userInfo: step } = require('node:os');

for (let round = 0; round < 1; round += 1) {
  console.log(step());
}
