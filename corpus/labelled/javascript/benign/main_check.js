// capabilities: none; resembles: module
function main() {
  console.log('main');
}

if (require.main === module) {
  main();
}
