// capabilities: none; resembles: introspection
const hidden = new WeakMap();

class Secret {
  constructor(value) {
    hidden.set(this, value);
  }

  reveal() {
    return hidden.get(this);
  }
}

console.log(new Secret(3).reveal());
