/* The smallest program that uses a C library. */
#include <stdio.h>

int main(void) {
  puts("hello");
  return 0;
}
