// capabilities: none; resembles: crypto as method of an own class
class Engine {
  constructor() {
    this.log = [];
  }

  crypto(text) {
    this.log.push(text);
    return this.log.length;
  }
}

console.log(new Engine().crypto('first'));
