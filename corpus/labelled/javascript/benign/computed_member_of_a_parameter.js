// capabilities: none; resembles: computed member
function pick(object, names) {
  const made = {};
  for (const name of names) {
    made[name] = object[name];
  }
  return made;
}

console.log(pick({ a: 1, b: 2 }, ['a']));
