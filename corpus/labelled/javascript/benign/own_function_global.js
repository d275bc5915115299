// capabilities: none; resembles: global as own function
function global(text) {
  return text.split(' ').map((word) => word.length);
}

console.log(global('one two'));
