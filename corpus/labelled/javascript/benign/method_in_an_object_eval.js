// capabilities: none; resembles: eval as method in an object
const tool = {
  eval(value) {
    return value + 1;
  },
};

console.log(tool.eval(2), tool['eval'](3));
