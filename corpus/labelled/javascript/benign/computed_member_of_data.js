// capabilities: none; resembles: computed member
const rows = [{ a: 1 }, { a: 2 }];
const field = 'a';

console.log(rows.map((row) => row[field]));
