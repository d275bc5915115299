// capabilities: none; resembles: module as method in an object
const tool = {
  module(value) {
    return value + 1;
  },
};

console.log(tool.module(2), tool['module'](3));
