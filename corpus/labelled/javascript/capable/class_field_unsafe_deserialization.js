// capabilities: unsafe-deserialization; hidden by: class field
const kit = require('v8');

class Job {
  #kit = kit;
  start() {
    return this.#kit.deserialize(Buffer.from([255, 15, 48]));
  }
}

console.log(new Job().start());
