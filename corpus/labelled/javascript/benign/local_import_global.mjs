// capabilities: none; resembles: global as local import
import { global } from './tools.js';

export const begin = (values) => global(values);
