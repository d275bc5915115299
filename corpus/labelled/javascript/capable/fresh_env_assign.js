// capabilities: environment; hidden by: process member
process.env.LEVEL = '3';

delete process.env.OTHER;
