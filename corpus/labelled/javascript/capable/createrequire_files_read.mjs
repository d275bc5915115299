// capabilities: files-read; hidden by: createRequire
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);
const kit = load('fs');
console.log(kit.readdirSync('/nonexistent'));
