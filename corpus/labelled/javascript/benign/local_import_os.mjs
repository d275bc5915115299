// capabilities: none; resembles: os as local import
import { os } from './tools.js';

export const begin = (values) => os(values);
