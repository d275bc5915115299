const u = new URL('https://a.b/c?d=1#e'); console.log(u.hostname, u.searchParams.get('d'));
