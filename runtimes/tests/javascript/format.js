console.log('%s is %d years and %i, %f, %j %o %O %%', 'Bob', 42.5, 42.9, '1.5', { a: 1 }, [1], { b: 2 }, 'extra', 5);
console.log('%s', { a: 1 }, '%s'); console.error('e %d', 3); console.log('%c styled', 'color: red'); console.log(require('util').format('%s %s', 'a'), require('util').inspect({ a: { b: { c: { d: 1 } } } }, { depth: 0 }));
