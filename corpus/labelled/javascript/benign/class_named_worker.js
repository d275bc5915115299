// capabilities: none; resembles: Worker
class Worker {
  constructor(name) {
    this.name = name;
  }
}

console.log(new Worker('a').name);
