// capabilities: introspection; hidden by: nothing
const target = { level: 1 };
const seen = new Proxy(target, { get: (object, key) => `${String(key)}!` });

console.log(seen.level);
