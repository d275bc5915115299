// capabilities: system-information; hidden by: process member
const { platform, arch } = process;

console.log(`${platform}-${arch}`);
