// capabilities: none; resembles: SharedArrayBuffer
const buffer = new ArrayBuffer(8);
const view = new DataView(buffer);
view.setUint16(0, 513);

console.log(new Uint8Array(buffer)[0]);
