// capabilities: none; resembles: fetch
function fetch(table, key) {
  return table[key] ?? null;
}

console.log(fetch({ a: 1 }, 'a'));
