class MyError extends Error {
  constructor(m) { super(m); this.name = 'MyError'; this.code = 5; }
}
try { throw new MyError('x'); } catch (e) { console.log(String(e), e.code, e instanceof Error, e.stack.split('\n')[0]); }
