// capabilities: none; resembles: http as method in an object
const tool = {
  http(value) {
    return value + 1;
  },
};

console.log(tool.http(2), tool['http'](3));
