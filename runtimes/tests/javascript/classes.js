class A { #p = 1; static s = 2; get p() { return this.#p; } static { A.t = 3; } toString() { return 'A!'; } }
class B extends A { constructor() { super(); this.b = [1]; } }
console.log(new B(), `${new B()}`, A.s + A.t, new B().p);
function* g() { yield* [1, 2]; }
console.log([...g()], Object.entries({ x: 1 }), new Proxy({}, { get: (_, k) => k }).foo);
