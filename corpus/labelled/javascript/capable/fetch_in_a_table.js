// capabilities: network; hidden by: table of functions
const handlers = { parse: JSON.parse, load: fetch };

for (const name of ['load']) {
  handlers[name]('http://example.invalid/').catch(() => {});
}
