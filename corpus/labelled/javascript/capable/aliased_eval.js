// capabilities: dynamic-code; hidden by: aliased built-in function
const compute = eval;

function cell(text) {
  return compute(text);
}
console.log(cell('6 * 7'));
