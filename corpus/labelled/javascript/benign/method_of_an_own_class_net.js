// capabilities: none; resembles: net as method of an own class
class Engine {
  constructor() {
    this.log = [];
  }

  net(text) {
    this.log.push(text);
    return this.log.length;
  }
}

console.log(new Engine().net('first'));
