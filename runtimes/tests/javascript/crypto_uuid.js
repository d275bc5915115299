const c = require('crypto'); console.log(c.randomUUID().length, c.randomBytes(4).length, crypto.randomUUID() === crypto.randomUUID());
