// capabilities: none; resembles: fetch as local import
import { fetch } from './tools.js';

export const begin = (values) => fetch(values);
