// capabilities: network; hidden by: destructuring
const { fetch: bring, console: log } = globalThis;

bring('http://example.invalid/').catch(() => log.error('no'));
