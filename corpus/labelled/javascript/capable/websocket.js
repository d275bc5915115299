// capabilities: network; hidden by: nothing
const channel = new WebSocket('ws://example.invalid/');

channel.onopen = () => channel.send('x');
