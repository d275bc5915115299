// capabilities: none; resembles: process as method in an object
const tool = {
  process(value) {
    return value + 1;
  },
};

console.log(tool.process(2), tool['process'](3));
