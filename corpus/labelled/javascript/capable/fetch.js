// capabilities: network; hidden by: nothing
async function load(path) {
  const answer = await fetch(`http://example.invalid/${path}`);
  return answer.json();
}

load('items').then(console.log, () => {});
