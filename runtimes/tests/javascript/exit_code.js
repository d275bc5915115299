console.log('a'); process.on('exit', (c) => console.log('exit', c)); setTimeout(() => console.log('never'), 5); process.exit(7);
