// capabilities: none; resembles: child_process as local import
import { child_process } from './tools.js';

export const begin = (values) => child_process(values);
