// capabilities: introspection; hidden by: Proxy.revocable
const { proxy, revoke } = Proxy.revocable({}, {});

revoke();
console.log(typeof proxy);
