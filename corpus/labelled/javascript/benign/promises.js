// capabilities: none; resembles: async function
const wait = (value) => Promise.resolve(value);

Promise.all([wait(1), wait(2)]).then((values) => console.log(values));
