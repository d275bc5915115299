// capabilities: dynamic-code; hidden by: globalThis
const name = 'eval';

console.log(globalThis[name]('1 + 1'));
