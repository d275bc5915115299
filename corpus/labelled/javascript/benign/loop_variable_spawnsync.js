// capabilities: none; resembles: spawnSync as loop variable
for (const spawnSync of ['a', 'b']) {
  console.log(spawnSync.toUpperCase());
}

console.log([1, 2].map((spawnSync) => spawnSync * 2));
