// capabilities: native-code; hidden by: third-party module
const addon = require('bindings')('addon');

module.exports = addon.hello;
