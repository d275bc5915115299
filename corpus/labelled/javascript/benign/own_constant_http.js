// capabilities: none; resembles: http as own constant
const http = [3, 1, 2];

http.sort();
console.log(http.length, http[0]);
