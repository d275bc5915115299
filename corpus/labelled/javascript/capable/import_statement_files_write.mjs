// capabilities: files-write; hidden by: import statement
import { rmSync as begin } from 'node:fs';

export function start() {
  return begin('/nonexistent/a', { force: true });
}
