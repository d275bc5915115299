// capabilities: randomness; hidden by: import statement
import { randomUUID as begin } from 'node:crypto';

export function start() {
  return begin();
}
