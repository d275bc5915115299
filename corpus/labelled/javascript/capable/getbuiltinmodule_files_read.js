// capabilities: files-read; hidden by: getBuiltinModule
const kit = process.getBuiltinModule('fs');

if (kit) {
  console.log(kit.readFileSync('/nonexistent/a'));
}
