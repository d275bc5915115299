const d = new Date(Date.UTC(2024, 1, 29, 12)); console.log(d.toISOString(), d.getTime(), JSON.stringify(d), new Date('2024-01-01') < d, d.getUTCDay());
