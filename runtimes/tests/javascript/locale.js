console.log((1234567.891).toLocaleString(), new Date(0).toLocaleDateString('en-US', { timeZone: 'UTC' }), ['b', 'a'].sort((x, y) => x.localeCompare(y)));
