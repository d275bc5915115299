// capabilities: dynamic-code; hidden by: constructor property
const step = 'constr' + 'uctor';

console.log(''[step][step]('return 1')());
