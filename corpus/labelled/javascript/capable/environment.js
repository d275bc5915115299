// capabilities: environment; hidden by: nothing
const home = process.env.HOME || '/nonexistent';

console.log(home.length);
