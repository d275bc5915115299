// capabilities: none; resembles: constructor
class Base {
  constructor(name) {
    this.name = name;
  }
}

class Child extends Base {
  constructor() {
    super('child');
  }
}

console.log(new Child().name);
