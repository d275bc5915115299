// capabilities: none; resembles: fs
import { basename, dirname } from 'node:path';

console.log(basename('/a/b.txt'), dirname('/a/b.txt'));
