// capabilities: files-write; hidden by: default import
import helpers from 'node:fs';

const tool = helpers;
console.log(tool.mkdirSync('/nonexistent/new'));
