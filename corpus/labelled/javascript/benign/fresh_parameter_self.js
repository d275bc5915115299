// capabilities: none; resembles: self
function each(self, key) {
  return self[key];
}

console.log(each({ a: 1 }, 'a'));
