// capabilities: dynamic-code; hidden by: call and apply
console.log(eval.call(null, '1 + 1'));

console.log('done');
