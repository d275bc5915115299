// capabilities: introspection; hidden by: nothing
const hooks = require('async_hooks');

hooks.createHook({ init: () => {} }).enable();
