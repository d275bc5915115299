// capabilities: none; resembles: binding as method in an object
const tool = {
  binding(value) {
    return value + 1;
  },
};

console.log(tool.binding(2), tool['binding'](3));
