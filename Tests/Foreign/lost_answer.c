// Preloaded into a process: the file that completes a commit appears, and then neither the answer comes nor can
// anybody ask for it, as on a disk that goes at that moment.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static int is_commit(const char *path) {
  size_t length = strlen(path);
  return length > 7 && strcmp(path + length - 7, ".commit") == 0;
}

static int hangs;

int link(const char *path, const char *other) {
  int (*next)(const char *, const char *) = dlsym(RTLD_NEXT, "link");
  int result = next(path, other);
  if (result != 0 || !is_commit(other)) return result;
  hangs = 1;
  errno = EIO;
  return -1;
}

int stat(const char *path, struct stat *status) {
  int (*next)(const char *, struct stat *) = dlsym(RTLD_NEXT, "stat");
  if (!hangs || !is_commit(path)) return next(path, status);
  errno = EIO;
  return -1;
}
