// capabilities: network; hidden by: globalThis
const get = globalThis.fetch;

get('http://example.invalid/').catch(() => {});
