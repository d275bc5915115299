// capabilities: none; resembles: async function
async function add(a, b) {
  return (await a) + (await b);
}

add(1, 2).then(console.log);
