/* Counts for ever. A loop without an effect would be undefined in C, so it has one. */
int main(void) {
    volatile unsigned long count = 0;
    for (;;)
        count++;
}
