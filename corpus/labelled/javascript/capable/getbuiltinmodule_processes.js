// capabilities: processes; hidden by: getBuiltinModule
const kit = process.getBuiltinModule('cluster');

if (kit) {
  console.log(kit.fork());
}
