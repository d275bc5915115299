// capabilities: none; resembles: window
function average(values, window) {
  return values.slice(0, window.size).reduce((a, b) => a + b, 0) / window[0];
}

console.log(average([1, 2, 3], { size: 2, 0: 2 }));
