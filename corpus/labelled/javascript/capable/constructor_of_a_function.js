// capabilities: dynamic-code; hidden by: constructor property
const make = (() => {}).constructor;

console.log(make('return 1 + 1')());
