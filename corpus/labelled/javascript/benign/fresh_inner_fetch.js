// capabilities: none; resembles: fetch
function load(items) {
  const fetch = (key) => items[key];
  return fetch('a');
}

console.log(load({ a: 1 }));
