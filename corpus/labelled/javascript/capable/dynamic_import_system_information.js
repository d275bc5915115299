// capabilities: system-information; hidden by: dynamic import
async function main() {
  const helpers = await import('os');
  console.log(helpers.cpus());
}

main();
