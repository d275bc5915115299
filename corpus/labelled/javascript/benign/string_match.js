// capabilities: none; resembles: exec
const text = 'exec eval require';

for (const match of text.matchAll(/\w+/g)) {
  console.log(match[0]);
}
