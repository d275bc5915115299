async function main() {
throw new Error('rejected');
}
main();
