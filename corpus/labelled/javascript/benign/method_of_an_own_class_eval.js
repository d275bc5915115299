// capabilities: none; resembles: eval as method of an own class
class Engine {
  constructor() {
    this.log = [];
  }

  eval(text) {
    this.log.push(text);
    return this.log.length;
  }
}

console.log(new Engine().eval('first'));
