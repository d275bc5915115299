// capabilities: dynamic-code; hidden by: dynamic import
const name = process.argv[2];

import(name).then((plugin) => plugin.start());
