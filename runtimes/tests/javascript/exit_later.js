process.exitCode = 4; console.error('to stderr');
