// capabilities: dynamic-code; hidden by: globalThis
const scope = global;

console.log(scope.eval('2 + 2'));
