// capabilities: none; resembles: connect as method of an own class
class Engine {
  constructor() {
    this.log = [];
  }

  connect(text) {
    this.log.push(text);
    return this.log.length;
  }
}

console.log(new Engine().connect('first'));
