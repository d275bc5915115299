// capabilities: none; resembles: constructor
class Vector {
  constructor(x) {
    this.x = x;
  }

  clone() {
    return new this.constructor(this.x);
  }
}

console.log(new Vector(3).clone().x);
