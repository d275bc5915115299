console.log(process.env.GREETING, process.env.NOPE, 'GREETING' in process.env); process.env.NEW = '1'; console.log(process.env.NEW);
