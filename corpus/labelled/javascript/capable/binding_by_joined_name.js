// capabilities: native-code; hidden by: process.binding
const reach = process['bin' + 'ding'];

console.log(reach.call(process, 'fs'));
