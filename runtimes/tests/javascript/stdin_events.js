let all = ''; process.stdin.setEncoding('utf8'); process.stdin.on('data', (c) => all += c); process.stdin.on('end', () => console.log(all.length, all.trim().split(/\s+/).length));
