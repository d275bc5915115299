// capabilities: none; resembles: fs as local module
const fs = require('./fs');

module.exports = (values) => fs.sorted(values);
