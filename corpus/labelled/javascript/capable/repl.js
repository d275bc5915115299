// capabilities: dynamic-code; hidden by: nothing
const repl = require('repl');

repl.start({ prompt: '> ' }).context.level = 3;
