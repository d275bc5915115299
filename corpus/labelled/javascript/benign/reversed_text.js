// capabilities: none; resembles: reversed name
const backwards = 'erised'.split('').reverse().join('');

console.log(backwards);
