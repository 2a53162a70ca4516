#include <sys/types.h>
#include <sys/vfs.h>

// Declared by unistd.h and fcntl.h only for _GNU_SOURCE, which Swift's own module of the C library does not set.
extern ssize_t copy_file_range(int source, off_t *sourceOffset, int target, off_t *targetOffset,
                               size_t count, unsigned int flags);
extern int fallocate(int file, int mode, off_t offset, off_t length);
extern int pipe2(int ends[2], int flags);
extern ssize_t splice(int source, off_t *sourceOffset, int target, off_t *targetOffset, size_t count,
                      unsigned int flags);
