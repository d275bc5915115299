// capabilities: randomness; hidden by: nothing
const roll = () => 1 + Math.floor(Math.random() * 6);

console.log(roll(), roll());
