// capabilities: files-write; hidden by: class field
const kit = require('fs');

class Job {
  #kit = kit;
  start() {
    return this.#kit.rmSync('/nonexistent/a', { force: true });
  }
}

console.log(new Job().start());
