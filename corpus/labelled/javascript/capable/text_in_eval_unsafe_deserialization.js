// capabilities: dynamic-code, unsafe-deserialization; hidden by: text in eval
const answer = eval("require('v8').deserialize(Buffer.from([255, 15, 48]))");

console.log(answer);
