// capabilities: environment; hidden by: globalThis
const host = globalThis.process;

console.log(host?.env?.LANG);
