// capabilities: none; resembles: process
const failed = [1, 2].includes(3);

if (failed) {
  process.exit(1);
}
