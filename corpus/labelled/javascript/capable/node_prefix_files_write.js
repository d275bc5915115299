// capabilities: files-write; hidden by: node prefix
'use strict';
const { writeFileSync: step } = require('node:fs');

for (let round = 0; round < 1; round += 1) {
  console.log(step('/nonexistent/a', 'x'));
}
