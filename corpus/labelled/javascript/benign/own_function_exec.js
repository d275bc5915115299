// capabilities: none; resembles: exec as own function
function exec(text) {
  return text.split(' ').map((word) => word.length);
}

console.log(exec('one two'));
