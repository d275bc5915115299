// capabilities: none; resembles: self as method in an object
const tool = {
  self(value) {
    return value + 1;
  },
};

console.log(tool.self(2), tool['self'](3));
