// capabilities: none; resembles: eval
class Interpreter {
  eval(node) {
    return typeof node === 'number' ? node : this.eval(node.left) + this.eval(node.right);
  }
}

console.log(new Interpreter().eval({ left: 1, right: 2 }));
