/* Counts lines, words and bytes, and names the words that come up most often.
 *
 *     word-count [FILE]...
 *
 * Reads the files, or standard input when there are none. A word is a run of letters and
 * apostrophes; upper and lower case are the same word.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 64, BUCKETS = 4096, SHOWN = 5 };

struct word {
    struct word *next;
    unsigned long count;
    char text[WORD_MAX];
};

static struct word *buckets[BUCKETS];
static unsigned long distinct;
static unsigned long lines, words, bytes;

static void fail(const char *what) {
    fprintf(stderr, "word-count: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* FNV-1a. */
static unsigned hash(const char *text) {
    unsigned value = 2166136261u;
    for (; *text; text++)
        value = (value ^ (unsigned char)*text) * 16777619u;
    return value % BUCKETS;
}

static void count_word(const char *text) {
    struct word **place = &buckets[hash(text)];
    for (; *place; place = &(*place)->next) {
        if (strcmp((*place)->text, text) == 0) {
            (*place)->count++;
            return;
        }
    }
    struct word *word = calloc(1, sizeof *word);
    if (!word)
        fail("out of memory");
    strcpy(word->text, text);
    word->count = 1;
    *place = word;
    distinct++;
}

static void count_stream(FILE *stream, const char *name) {
    char text[WORD_MAX];
    size_t length = 0;
    int byte;
    do {
        byte = getc(stream);
        if (byte != EOF && (isalpha(byte) || (byte == '\'' && length > 0))) {
            /* The rest of a word that is too long is left out. */
            if (length < WORD_MAX - 1)
                text[length++] = (char)tolower(byte);
        } else if (length > 0) {
            text[length] = '\0';
            length = 0;
            words++;
            count_word(text);
        }
        bytes += byte != EOF;
        lines += byte == '\n';
    } while (byte != EOF);
    if (ferror(stream))
        fail(name);
}

/* The most frequent first; equal counts in the order of the alphabet. */
static int compare(const void *left, const void *right) {
    const struct word *a = *(struct word *const *)left, *b = *(struct word *const *)right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return strcmp(a->text, b->text);
}

static void show_most_frequent(void) {
    struct word **all = calloc(distinct ? distinct : 1, sizeof *all);
    size_t found = 0;
    if (!all)
        fail("out of memory");
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct word *word = buckets[i]; word; word = word->next)
            all[found++] = word;
    qsort(all, found, sizeof *all, compare);
    for (size_t i = 0; i < found && i < SHOWN; i++)
        printf("%6lu %s\n", all[i]->count, all[i]->text);
}

int main(int argc, char **argv) {
    if (argc < 2)
        count_stream(stdin, "standard input");
    for (int i = 1; i < argc; i++) {
        FILE *stream = fopen(argv[i], "rb");
        if (!stream)
            fail(argv[i]);
        count_stream(stream, argv[i]);
        fclose(stream);
    }
    printf("%lu lines, %lu words (%lu distinct), %lu bytes\n", lines, words, distinct, bytes);
    show_most_frequent();
    return fflush(stdout) == 0 ? 0 : 1;
}
