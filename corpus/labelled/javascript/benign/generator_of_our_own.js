// capabilities: none; resembles: randomness
let state = 1;

function random() {
  state = (state * 1103515245 + 12345) % 2147483648;
  return state;
}

console.log(random(), random());
