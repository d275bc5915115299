// capabilities: none; resembles: performance
var performance = { score: 3 };

console.log(performance.score);
