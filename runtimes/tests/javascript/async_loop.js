const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
(async () => { for (const n of [1, 2]) { await sleep(3); console.log(n); } for await (const x of (async function* () { yield 1; yield 2; })()) console.log('x', x); console.log(await Promise.all([sleep(2).then(() => 'a'), 'b']), await Promise.allSettled([Promise.reject(new RangeError('r'))]).then((r) => r[0].status)); })();
