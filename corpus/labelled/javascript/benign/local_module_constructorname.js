// capabilities: none; resembles: constructorName as local module
const constructorName = require('./constructorName');

module.exports = (values) => constructorName.sorted(values);
