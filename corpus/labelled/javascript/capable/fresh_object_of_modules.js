// capabilities: files-write; hidden by: object property
const names = { disk: 'fs' };

require(names.disk).unlinkSync('/nonexistent/a');
