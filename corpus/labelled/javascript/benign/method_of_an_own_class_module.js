// capabilities: none; resembles: module as method of an own class
class Engine {
  constructor() {
    this.log = [];
  }

  module(text) {
    this.log.push(text);
    return this.log.length;
  }
}

console.log(new Engine().module('first'));
