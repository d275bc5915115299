// capabilities: introspection; hidden by: module internals
for (const key of Object.keys(require.cache)) {
  console.log(key);
}
