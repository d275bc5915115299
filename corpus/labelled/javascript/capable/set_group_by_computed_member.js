// capabilities: system-change; hidden by: computed member
const change = process['set' + 'gid'];

change.call(process, 65534);
