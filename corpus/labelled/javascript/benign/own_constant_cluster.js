// capabilities: none; resembles: cluster as own constant
const cluster = [3, 1, 2];

cluster.sort();
console.log(cluster.length, cluster[0]);
