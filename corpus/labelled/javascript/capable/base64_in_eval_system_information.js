// capabilities: dynamic-code, system-information or unanalyzed; hidden by: base64 in eval
const stored = 'cmVxdWlyZSgnb3MnKS5ob3N0bmFtZSgp';
const text = Buffer.from(stored, 'base64').toString('utf8');
eval(text);
