// capabilities: none; resembles: require as method in an object
const tool = {
  require(value) {
    return value + 1;
  },
};

console.log(tool.require(2), tool['require'](3));
