// capabilities: randomness; hidden by: globalThis
const bytes = new Uint8Array(4);

globalThis.crypto.getRandomValues(bytes);
console.log(bytes);
