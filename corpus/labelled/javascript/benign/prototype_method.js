// capabilities: none; resembles: prototype
function Stack() {
  this.items = [];
}

Stack.prototype.push = function push(item) {
  this.items.push(item);
  return this.items.length;
};

console.log(new Stack().push(1));
