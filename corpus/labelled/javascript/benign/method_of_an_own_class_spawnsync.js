// capabilities: none; resembles: spawnSync as method of an own class
class Engine {
  constructor() {
    this.log = [];
  }

  spawnSync(text) {
    this.log.push(text);
    return this.log.length;
  }
}

console.log(new Engine().spawnSync('first'));
