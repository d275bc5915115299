// capabilities: none; resembles: unescape
console.log(decodeURIComponent('a%20b'), encodeURIComponent('c d'));
