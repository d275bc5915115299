// capabilities: environment; hidden by: import statement
import { env } from 'node:process';

export const level = env.LEVEL ?? 'info';
