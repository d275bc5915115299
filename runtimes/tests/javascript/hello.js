console.log('hello', 'world');
