// capabilities: none; resembles: eval
const evalNode = (node) => (node.left ? evalNode(node.left) + 1 : 0);

console.log(evalNode({ left: {} }));
