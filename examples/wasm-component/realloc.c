/* Memory for the adapter between WASI preview 1 and preview 2.
 *
 * The adapter keeps its state in the program's memory and asks `cabi_realloc` for the place, the
 * component model's name for it. Without this function it would grow the memory itself, and older
 * releases of wasi-libc take everything up to the end of the memory for their own heap.
 */
#include <stdlib.h>

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size,
                                                               size_t align, size_t size) {
    (void)old_size;
    (void)align; /* malloc aligns to 16, more than any type of the component model needs. */
    void *place = realloc(old, size);
    if (size > 0 && !place)
        abort();
    return place;
}
