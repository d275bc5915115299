// capabilities: dynamic-code, files-write or unanalyzed; hidden by: base64 in eval
const stored = 'cmVxdWlyZSgnZnMnKS5ta2RpclN5bmMoJy9ub25leGlzdGVudC9uZXcnKQ==';
const text = Buffer.from(stored, 'base64').toString('utf8');
eval(text);
