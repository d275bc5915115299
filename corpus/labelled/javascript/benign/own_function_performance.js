// capabilities: none; resembles: performance as own function
function performance(text) {
  return text.split(' ').map((word) => word.length);
}

console.log(performance('one two'));
