// capabilities: network; hidden by: third-party module
const axios = require('axios');

axios.post('http://example.invalid/', { level: 3 }).catch(() => {});
