// capabilities: files-read; hidden by: submodule
import { readFile } from 'fs/promises';

const text = await readFile('/nonexistent/notes.txt', 'utf8').catch(() => '');
console.log(text.length);
