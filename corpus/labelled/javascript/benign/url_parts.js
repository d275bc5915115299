// capabilities: none; resembles: http
const address = new URL('http://example.invalid/a?b=c');

console.log(address.hostname, address.searchParams.get('b'));
