// Preloaded into a process: the swap by which a commit is decided takes place, and then neither the answer comes nor can
// anybody ask for it, as on a disk that goes at that moment.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int is_head(const char *path) {
  static const char end[] = "/.hoodie/tarn/head";
  size_t length = strlen(path), tail = sizeof end - 1;
  return length >= tail && strcmp(path + length - tail, end) == 0;
}

static int hangs;

int rename(const char *path, const char *other) {
  int (*next)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
  int result = next(path, other);
  if (result != 0 || !is_head(other)) return result;
  hangs = 1;
  errno = EIO;
  return -1;
}

int open(const char *path, int flags, ...) {
  int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (!hangs || !is_head(path)) return next(path, flags, mode);
  errno = EIO;
  return -1;
}
