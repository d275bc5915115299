// capabilities: none; resembles: system
const system = { os: 'test', kill: () => 'no', env: { HOME: 'x' } };

console.log(system.kill(), system.env.HOME, system.os);
