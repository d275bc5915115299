// capabilities: none; resembles: child_process as own function
function child_process(text) {
  return text.split(' ').map((word) => word.length);
}

console.log(child_process('one two'));
