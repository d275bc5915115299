// capabilities: none; resembles: network
class Network {
  constructor() {
    this.edges = new Map();
  }

  connect(left, right) {
    this.edges.set(left, [...(this.edges.get(left) ?? []), right]);
  }
}

const net = new Network();
net.connect('a', 'b');
console.log(net.edges.size);
