// capabilities: randomness; hidden by: dynamic import
async function main() {
  const helpers = await import('crypto');
  console.log(helpers.randomUUID());
}

main();
