const { twice } = require('./helper'); console.log(twice(4), require('./data.json').a, module.exports === exports);
