console.log({ a: 1, 'b-c': 'x', d: [1, [2, [3, [4, [5]]]]], e: { f: { g: { h: {} } } }, u: undefined, n: null, fn() {}, s: Symbol('s'), [Symbol('k')]: 1, get g() { return 1; }, set g(v) {} });
console.log([], {}, [undefined, null], [,1], [['a', 1]], Object.create(null), new (class Foo { constructor() { this.x = 1; } })(), new Foo2());
function Foo2() {}
console.log(new Map([['k', { a: [1] }]]), new Set([1, 'a']), new Date(0), /a/g, new Error('e').message, 10n, -0, NaN, [1.5, 'it\'s'], "a\nb", ['a\nb']);
const c = { name: 'c' }; c.self = c; console.log(c);
console.log([new Map([[1, 2]])], { s: new Set() }, [function named() {}, class A extends Map {}, async () => {}], new Uint8Array(3), Buffer.from('hi'), [Promise.resolve(1)].length);
