// Left out of Swift's own module of glibc.
#if defined(__linux__)
#include <malloc.h>
#endif
