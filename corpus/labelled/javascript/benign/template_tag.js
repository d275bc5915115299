// capabilities: none; resembles: tagged template
const mark = (parts, ...values) => parts.join('|') + values.length;

console.log(mark`a${1}b${2}`);
