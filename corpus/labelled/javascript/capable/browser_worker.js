// capabilities: threads; hidden by: nothing
const worker = new Worker('/nonexistent/worker.js');

worker.postMessage({ level: 3 });
