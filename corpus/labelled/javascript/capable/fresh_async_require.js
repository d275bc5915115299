// capabilities: processes; hidden by: async function
const load = async (name) => import(name);

load('node:child_process').then((kit) => kit.execSync('echo ready'));
