// capabilities: none; resembles: spawnSync as parameter
function scale(spawnSync, factor = 2) {
  return [spawnSync * factor, spawnSync + factor];
}

console.log(scale(4));
