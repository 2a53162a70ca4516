// Preloaded into a process: notes in the file that TARN_CALLS names what it asks of the file system, a line a call that
// succeeds, with the number of the file or folder that it is about and of its device. A call that others must wait for
// has a line when it begins, too.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int calls(void) {
  static int descriptor = -2;
  if (descriptor == -2) {
    const char *path = getenv("TARN_CALLS");
    descriptor = path ? NEXT(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
  }
  return descriptor;
}

static void note(const char *when, const char *call, const struct stat *status, long count, const char *path) {
  char line[8192];
  int failure = errno;
  int length = snprintf(line, sizeof line, "%s %s %lx:%lx %ld %s\n", when, call, (unsigned long)status->st_dev,
                        (unsigned long)status->st_ino, count, path);
  if (length > 0 && length < (int)sizeof line) NEXT(write)(calls(), line, length);
  errno = failure;
}

static void note_path(const char *when, const char *call, const char *path, const char *shown) {
  struct stat status;
  int failure = errno;
  if (lstat(path, &status) == 0) note(when, call, &status, 0, shown);
  errno = failure;
}

static void note_open(const char *when, const char *call, int descriptor, long count) {
  struct stat status;
  int failure = errno;
  if (descriptor != calls() && fstat(descriptor, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
    note(when, call, &status, count, "");
  errno = failure;
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  int mode = flags & O_CREAT ? va_arg(rest, int) : 0;
  va_end(rest);
  int result = NEXT(open)(path, flags, mode);
  if (result >= 0 && flags & O_CREAT) note_path("end", "create", path, path);
  return result;
}

int mkdir(const char *path, mode_t mode) {
  int result = NEXT(mkdir)(path, mode);
  if (result == 0) note_path("end", "mkdir", path, path);
  return result;
}

int link(const char *path, const char *other) {
  note_path("begin", "name", path, other);
  int result = NEXT(link)(path, other);
  if (result == 0) note_path("end", "name", other, other);
  return result;
}

int rename(const char *path, const char *other) {
  note_path("begin", "name", path, other);
  int result = NEXT(rename)(path, other);
  if (result == 0) note_path("end", "name", other, other);
  return result;
}

int fsync(int descriptor) {
  note_open("begin", "sync", descriptor, 0);
  int result = NEXT(fsync)(descriptor);
  if (result == 0) note_open("end", "sync", descriptor, 0);
  return result;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
  ssize_t result = NEXT(write)(descriptor, bytes, count);
  if (result > 0) note_open("end", "write", descriptor, result);
  return result;
}

ssize_t copy_file_range(int source, off64_t *offset, int target, off64_t *other, size_t count, unsigned flags) {
  ssize_t result = NEXT(copy_file_range)(source, offset, target, other, count, flags);
  if (result > 0) note_open("end", "write", target, result);
  return result;
}

ssize_t pread(int descriptor, void *bytes, size_t count, off_t offset) {
  ssize_t result = NEXT(pread)(descriptor, bytes, count, offset);
  if (result > 0) note_open("end", "read", descriptor, result);
  return result;
}
