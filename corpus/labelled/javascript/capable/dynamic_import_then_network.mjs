// capabilities: network; hidden by: dynamic import then
import('node:dgram')
  .then((helpers) => helpers.createSocket('udp4'))
  .catch((error) => console.error(error.message));
