// capabilities: none; resembles: eval
const operators = { '+': (a, b) => a + b, '*': (a, b) => a * b };

function evaluate(words) {
  const stack = [];
  for (const word of words) {
    const operator = operators[word];
    stack.push(operator ? operator(stack.pop(), stack.pop()) : Number(word));
  }
  return stack[0];
}

console.log(evaluate('2 3 +'.split(' ')));
