// capabilities: environment; hidden by: computed member
const part = 'e';

console.log(process[part + 'nv'].PATH);
