function f() {
throw new Error('bad');
}
f();
