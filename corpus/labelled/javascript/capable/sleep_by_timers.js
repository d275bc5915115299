// capabilities: time; hidden by: renamed function
import { setTimeout as wait } from 'node:timers/promises';

await wait(1);
console.log('later');
