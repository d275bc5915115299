// capabilities: none; resembles: Worker as method in an object
const tool = {
  Worker(value) {
    return value + 1;
  },
};

console.log(tool.Worker(2), tool['Worker'](3));
