/* What a C library does with files, streams and clocks, each step checked. Exits with 0, or says
   on standard error which line surprised it. Built with assertions of its own, since a library's
   would abort without a line. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHECK(what)                                                                \
  do {                                                                             \
    if (!(what)) {                                                                 \
      fprintf(stderr, "line %d: " #what ": %s\n", __LINE__, strerror(errno));      \
      exit(1);                                                                     \
    }                                                                              \
  } while (0)

#define FAILS(what, error) CHECK((what) == -1 && errno == (error))

static void contents(const char *path, const char *wanted) {
  char buffer[256];
  int fd = open(path, O_RDONLY);
  CHECK(fd >= 0);
  ssize_t count = read(fd, buffer, sizeof buffer);
  CHECK(count == (ssize_t)strlen(wanted));
  CHECK(memcmp(buffer, wanted, count) == 0);
  CHECK(read(fd, buffer, sizeof buffer) == 0);
  CHECK(close(fd) == 0);
}

static void make(const char *path, const char *what) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  CHECK(fd >= 0);
  CHECK(write(fd, what, strlen(what)) == (ssize_t)strlen(what));
  CHECK(close(fd) == 0);
}

static void reading_and_writing(void) {
  contents("input.txt", "what was sent\n");
  contents("/work/input.txt", "what was sent\n");
  contents("./input.txt", "what was sent\n");
  make("a", "hello");
  contents("/a", "hello");
  FAILS(open("a", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
  FAILS(open("missing", O_RDONLY), ENOENT);
  FAILS(open("a", O_RDONLY | O_DIRECTORY), ENOTDIR);
  FAILS(open("a/", O_RDONLY), ENOTDIR);
  FAILS(open(".", O_WRONLY), EISDIR);
  int fd = open("a", O_RDWR);
  CHECK(lseek(fd, 0, SEEK_END) == 5);
  CHECK(write(fd, " world", 6) == 6);
  CHECK(lseek(fd, -5, SEEK_CUR) == 6);
  char word[6] = {0};
  CHECK(read(fd, word, 5) == 5 && strcmp(word, "world") == 0);
  CHECK(pread(fd, word, 5, 0) == 5 && strcmp(word, "hello") == 0);
  CHECK(pwrite(fd, "J", 1, 0) == 1);
  CHECK(lseek(fd, 0, SEEK_CUR) == 11);
  FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
  CHECK(ftruncate(fd, 3) == 0);
  CHECK(close(fd) == 0);
  FAILS(close(fd), EBADF);
  contents("a", "Jel");
  fd = open("a", O_WRONLY | O_APPEND);
  CHECK(lseek(fd, 0, SEEK_SET) == 0);
  CHECK(write(fd, "ly", 2) == 2);
  FAILS(read(fd, word, 1), EBADF);
  CHECK(close(fd) == 0);
  contents("a", "Jelly");
  fd = open("a", O_RDONLY);
  FAILS(write(fd, "x", 1), EBADF);
  CHECK(close(fd) == 0);
}

static void holes(void) {
  int fd = open("hole", O_RDWR | O_CREAT, 0644);
  CHECK(lseek(fd, 5000, SEEK_SET) == 5000);
  CHECK(write(fd, "end", 3) == 3);
  struct stat stat;
  CHECK(fstat(fd, &stat) == 0 && stat.st_size == 5003);
  char zeros[5000];
  memset(zeros, 1, sizeof zeros);
  CHECK(pread(fd, zeros, sizeof zeros, 0) == sizeof zeros);
  for (size_t index = 0; index < sizeof zeros; index++) CHECK(zeros[index] == 0);
  CHECK(close(fd) == 0);
  CHECK(unlink("hole") == 0);
}

static void names(void) {
  struct stat one, other;
  make("b", "b");
  CHECK(link("b", "c") == 0);
  CHECK(stat("b", &one) == 0 && stat("c", &other) == 0);
  CHECK(one.st_ino == other.st_ino && one.st_nlink == 2);
  CHECK(rename("b", "c") == 0);
  contents("b", "b");
  CHECK(unlink("b") == 0);
  contents("c", "b");
  FAILS(unlink("b"), ENOENT);
  make("d", "d");
  CHECK(rename("d", "c") == 0);
  contents("c", "d");
  FAILS(stat("d", &one), ENOENT);
  CHECK(symlink("c", "link") == 0);
  contents("link", "d");
  char target[16] = {0};
  CHECK(readlink("link", target, sizeof target) == 1 && target[0] == 'c');
  CHECK(lstat("link", &one) == 0 && S_ISLNK(one.st_mode));
  CHECK(stat("link", &one) == 0 && S_ISREG(one.st_mode));
  CHECK(symlink("loop", "loop") == 0);
  FAILS(open("loop", O_RDONLY), ELOOP);
  CHECK(symlink("..", "up") == 0);
  FAILS(open("up/x", O_RDONLY), EPERM);
  FAILS(symlink("/etc", "absolute"), EPERM);
  CHECK(unlink("loop") == 0 && unlink("up") == 0 && unlink("link") == 0);
}

static void directories(void) {
  CHECK(mkdir("dir", 0755) == 0);
  FAILS(mkdir("dir", 0755), EEXIST);
  CHECK(mkdir("dir/sub", 0755) == 0);
  make("dir/file", "x");
  contents("dir/sub/../file", "x");
  FAILS(rmdir("dir"), ENOTEMPTY);
  FAILS(unlink("dir"), EISDIR);
  FAILS(rmdir("dir/file"), ENOTDIR);
  FAILS(rename("dir", "dir/sub/inside"), EINVAL);
  FAILS(rename("dir", "c"), ENOTDIR);
  FAILS(rename("c", "dir"), EISDIR);
  DIR *listing = opendir("dir");
  CHECK(listing);
  int seen = 0;
  for (struct dirent *entry; (entry = readdir(listing));) {
    if (strcmp(entry->d_name, "sub") == 0) seen |= 1;
    if (strcmp(entry->d_name, "file") == 0) seen |= 2;
    if (entry->d_name[0] != '.') CHECK(unlinkat(dirfd(listing), entry->d_name,
        strcmp(entry->d_name, "sub") == 0 ? AT_REMOVEDIR : 0) == 0);
  }
  CHECK(seen == 3);
  CHECK(closedir(listing) == 0);
  CHECK(rmdir("dir") == 0);
  CHECK(mkdir("many", 0755) == 0);
  char name[32];
  for (int number = 0; number < 300; number++) {
    snprintf(name, sizeof name, "many/entry-%d", number);
    make(name, name);
  }
  listing = opendir("many");
  int count = 0;
  for (struct dirent *entry; (entry = readdir(listing));) count += entry->d_name[0] == 'e';
  CHECK(count == 300);
  CHECK(closedir(listing) == 0);
}

static void removed_while_open(void) {
  make("gone", "still here");
  int fd = open("gone", O_RDONLY);
  CHECK(unlink("gone") == 0);
  char buffer[16] = {0};
  CHECK(read(fd, buffer, sizeof buffer) == 10 && strcmp(buffer, "still here") == 0);
  struct stat stat;
  CHECK(fstat(fd, &stat) == 0 && stat.st_nlink == 0);
  CHECK(close(fd) == 0);
}

static void times(void) {
  struct timespec now, given[2] = {{.tv_sec = 1000, .tv_nsec = 5}, {.tv_sec = 2000}};
  struct stat stat_before, stat_after;
  CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec > 1600000000);
  CHECK(stat("c", &stat_before) == 0);
  CHECK(now.tv_sec - stat_before.st_mtim.tv_sec < 60);
  CHECK(utimensat(AT_FDCWD, "c", given, 0) == 0);
  CHECK(stat("c", &stat_after) == 0);
  CHECK(stat_after.st_atim.tv_sec == 1000 && stat_after.st_atim.tv_nsec == 5);
  CHECK(stat_after.st_mtim.tv_sec == 2000);
  struct timespec before, after, while_ = {.tv_nsec = 3000000};
  CHECK(clock_gettime(CLOCK_MONOTONIC, &before) == 0);
  CHECK(nanosleep(&while_, NULL) == 0);
  CHECK(clock_gettime(CLOCK_MONOTONIC, &after) == 0);
  long long slept = (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
  CHECK(slept >= 3000000);
}

static void streams(void) {
  struct pollfd input = {.fd = 0, .events = POLLIN};
  CHECK(poll(&input, 1, 1000) == 1);
  char line[64];
  CHECK(fgets(line, sizeof line, stdin) && strcmp(line, "first\n") == 0);
  CHECK(fgets(line, sizeof line, stdin) && strcmp(line, "second\n") == 0);
  CHECK(!fgets(line, sizeof line, stdin));
  FAILS(lseek(1, 0, SEEK_CUR), ESPIPE);
  unsigned char random[8] = {0}, zeros[8] = {0};
  CHECK(getentropy(random, sizeof random) == 0);
  CHECK(memcmp(random, zeros, sizeof random) != 0);
}

int main(int count, char **arguments) {
  CHECK(count == 3 && strcmp(arguments[1], "one") == 0 && strcmp(arguments[2], "") == 0);
  CHECK(getenv("COLOUR") && strcmp(getenv("COLOUR"), "blue") == 0);
  reading_and_writing();
  holes();
  names();
  directories();
  removed_while_open();
  times();
  streams();
  FILE *temporary = fopen("/tmp/scratch", "w");
  CHECK(temporary && fputs("not collected", temporary) >= 0 && fclose(temporary) == 0);
  printf("all is well\n");
  return 0;
}
