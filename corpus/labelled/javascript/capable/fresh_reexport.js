// capabilities: files-read, files-write; hidden by: export statement
export { readFileSync, writeFileSync } from 'fs';

export const version = 1;
