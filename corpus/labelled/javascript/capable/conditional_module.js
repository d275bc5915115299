// capabilities: network; hidden by: conditional expression
const secure = process.argv.includes('--secure');
const kit = secure ? require('https') : require('http');

kit.get('http://example.invalid/');
