// capabilities: none; resembles: connect as parameter
function scale(connect, factor = 2) {
  return [connect * factor, connect + factor];
}

console.log(scale(4));
