// capabilities: none; resembles: fetch as own function
function fetch(text) {
  return text.split(' ').map((word) => word.length);
}

console.log(fetch('one two'));
