// capabilities: none; resembles: net as parameter
function scale(net, factor = 2) {
  return [net * factor, net + factor];
}

console.log(scale(4));
