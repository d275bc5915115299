// capabilities: none; resembles: os as own function
function os(text) {
  return text.split(' ').map((word) => word.length);
}

console.log(os('one two'));
