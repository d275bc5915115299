// capabilities: none; resembles: navigator as method of an own class
class Engine {
  constructor() {
    this.log = [];
  }

  navigator(text) {
    this.log.push(text);
    return this.log.length;
  }
}

console.log(new Engine().navigator('first'));
