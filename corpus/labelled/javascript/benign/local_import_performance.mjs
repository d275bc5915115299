// capabilities: none; resembles: performance as local import
import { performance } from './tools.js';

export const begin = (values) => performance(values);
