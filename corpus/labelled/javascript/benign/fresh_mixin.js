// capabilities: none; resembles: introspection
const walks = (Base) => class extends Base {
  walk() {
    return 'walks';
  }
};

console.log(new (walks(Object))().walk());
