// capabilities: network; hidden by: third-party module
import express from 'express';

const app = express();
app.get('/', (request, response) => response.send('hello'));
export default app;
