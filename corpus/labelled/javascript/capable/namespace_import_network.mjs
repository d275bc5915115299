// capabilities: network; hidden by: namespace import
import * as helpers from 'dns';

const run = () => helpers.lookup('example.invalid', () => {});
run();
export default run;
