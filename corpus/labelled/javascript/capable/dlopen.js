// capabilities: native-code; hidden by: process.dlopen
const holder = { exports: {} };

process.dlopen(holder, '/nonexistent/addon.node');
