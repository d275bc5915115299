// capabilities: dynamic-code, randomness; hidden by: Function constructor
const make = new Function('load', "return load('crypto').randomUUID()");

console.log(make(require));
