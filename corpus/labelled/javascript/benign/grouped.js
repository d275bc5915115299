// capabilities: none; resembles: computed member
const groups = {};

for (const word of ['ab', 'cd', 'e']) {
  (groups[word.length] ||= []).push(word);
}
console.log(groups);
