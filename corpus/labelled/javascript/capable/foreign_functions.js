// capabilities: native-code; hidden by: third-party module
import koffi from 'koffi';

const library = koffi.load('libnonexistent.so');
console.log(library.func('int abs(int)')(-3));
