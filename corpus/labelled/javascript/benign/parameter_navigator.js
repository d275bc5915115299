// capabilities: none; resembles: navigator as parameter
function scale(navigator, factor = 2) {
  return [navigator * factor, navigator + factor];
}

console.log(scale(4));
