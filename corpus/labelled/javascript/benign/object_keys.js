// capabilities: none; resembles: introspection
const object = { eval: 1, exec: 2 };

for (const [key, value] of Object.entries(object)) {
  console.log(key, value, Object.hasOwn(object, key));
}
