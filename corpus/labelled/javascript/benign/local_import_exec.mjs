// capabilities: none; resembles: exec as local import
import { exec } from './tools.js';

export const begin = (values) => exec(values);
