// capabilities: dynamic-code; hidden by: nothing
const names = process.argv.slice(2);

for (const name of names) {
  require(name).start();
}
