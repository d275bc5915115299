// capabilities: randomness; hidden by: namespace import
import * as helpers from 'crypto';

const run = () => helpers.randomBytes(8);
run();
export default run;
