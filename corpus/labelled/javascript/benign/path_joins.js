// capabilities: none; resembles: fs
const path = require('path');

console.log(path.join('a', 'b', '..', 'c'), path.extname('x.txt'));
