// capabilities: none; resembles: self
function Counter() {
  const self = this;
  self.count = 0;
  self.add = function add(name) {
    self.count += 1;
    return self[name];
  };
}

console.log(new Counter().add('count'));
