// capabilities: none; resembles: crypto as parameter
function scale(crypto, factor = 2) {
  return [crypto * factor, crypto + factor];
}

console.log(scale(4));
