// capabilities: dynamic-code; hidden by: constructor property
class A {}

console.log(A.constructor('return 2')());
