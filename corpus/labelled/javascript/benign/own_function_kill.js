// capabilities: none; resembles: kill as own function
function kill(text) {
  return text.split(' ').map((word) => word.length);
}

console.log(kill('one two'));
