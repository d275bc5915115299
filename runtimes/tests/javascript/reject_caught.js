Promise.reject(new Error('x')).catch((e) => console.log('caught', e.message));
process.on('unhandledRejection', (e) => console.log('hook', e));
Promise.reject(3);
