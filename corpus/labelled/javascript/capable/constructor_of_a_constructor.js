// capabilities: dynamic-code; hidden by: constructor property
const make = [].constructor.constructor;
const body = 'return process';

console.log(make(body)().pid);
