#include <stddef.h>
#include <stdint.h>

/// libFuzzer's driver: calls `target` with ever new inputs, as its arguments say.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*target)(const uint8_t *data, size_t size));
