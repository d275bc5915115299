// capabilities: dynamic-code; hidden by: createRequire
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);
const kit = load('vm');
console.log(kit.runInThisContext('1 + 1'));
