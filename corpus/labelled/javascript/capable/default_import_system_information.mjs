// capabilities: system-information; hidden by: default import
import helpers from 'node:os';

const tool = helpers;
console.log(tool.hostname());
