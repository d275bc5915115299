// capabilities: none; resembles: spawn as method in an object
const tool = {
  spawn(value) {
    return value + 1;
  },
};

console.log(tool.spawn(2), tool['spawn'](3));
