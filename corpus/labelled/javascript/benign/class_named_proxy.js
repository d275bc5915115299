// capabilities: none; resembles: Proxy
class Proxy {
  constructor(target) {
    this.target = target;
  }
}

console.log(new Proxy(3).target);
