// capabilities: network; hidden by: globalThis and a joined name
const call = globalThis['fe' + 'tch'];

call('http://example.invalid/').catch(() => {});
