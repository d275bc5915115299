import fs, { readFileSync } from 'node:fs';
import { twice } from './helper2.mjs';
const x = await Promise.resolve(3);
console.log(twice(x), typeof readFileSync, fs.existsSync('data.txt'));
export const y = 1;
