// capabilities: none; resembles: cluster as method in an object
const tool = {
  cluster(value) {
    return value + 1;
  },
};

console.log(tool.cluster(2), tool['cluster'](3));
