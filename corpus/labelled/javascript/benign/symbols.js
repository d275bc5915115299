// capabilities: none; resembles: introspection
class Range {
  constructor(end) {
    this.end = end;
  }

  *[Symbol.iterator]() {
    for (let i = 0; i < this.end; i += 1) yield i;
  }
}

console.log([...new Range(3)]);
