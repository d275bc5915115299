// capabilities: dynamic-code; hidden by: Reflect.construct
const make = Reflect.construct(Function, ['return 1']);

console.log(make());
