// capabilities: unsafe-deserialization; hidden by: getter
const kit = require('v8');

const status = {
  get value() {
    return kit.deserialize(Buffer.from([255, 15, 48]));
  },
};
console.log(status.value);
