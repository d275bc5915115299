// capabilities: unsafe-deserialization; hidden by: destructuring
const { deserialize, ...others } = require('v8');

console.log(deserialize(Buffer.from([255, 15, 48])), Object.keys(others).length);
