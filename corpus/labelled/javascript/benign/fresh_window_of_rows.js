// capabilities: none; resembles: window
const rows = [1, 2, 3, 4];
const window = rows.slice(1, 3);

console.log(window[0], window.length);
