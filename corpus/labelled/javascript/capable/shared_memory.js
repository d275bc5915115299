// capabilities: threads; hidden by: nothing
const shared = new SharedArrayBuffer(16);
const view = new Int32Array(shared);

console.log(view.length);
