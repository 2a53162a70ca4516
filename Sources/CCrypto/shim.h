#include <dlfcn.h>
#include <stddef.h>

// What is called of libcrypto. It is loaded at its first use, and not linked: making its tables ready takes time and memory
// of every process, and most never sign a request. Its functions are the same since OpenSSL 1.1, so that its headers are not
// needed either.

typedef struct evp_md_st EVP_MD;
typedef struct evp_md_ctx_st EVP_MD_CTX;
typedef struct engine_st ENGINE;

typedef struct {
  EVP_MD_CTX *(*EVP_MD_CTX_new)(void);
  void (*EVP_MD_CTX_free)(EVP_MD_CTX *context);
  int (*EVP_DigestInit_ex)(EVP_MD_CTX *context, const EVP_MD *kind, ENGINE *engine);
  int (*EVP_DigestUpdate)(EVP_MD_CTX *context, const void *bytes, size_t count);
  int (*EVP_DigestFinal_ex)(EVP_MD_CTX *context, unsigned char *digest, unsigned int *length);
  const EVP_MD *(*EVP_sha256)(void);
  const EVP_MD *(*EVP_sha1)(void);
  unsigned char *(*HMAC)(const EVP_MD *kind, const void *key, int keyLength, const unsigned char *message,
                         size_t count, unsigned char *digest, unsigned int *length);
} CryptoFunctions;

// Loads the functions; false where the library is not there, or lacks one.
static inline _Bool cryptoLoad(CryptoFunctions *crypto, const char *library) {
  void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
  if (!handle) return 0;
#define CRYPTO_LOAD(name)                                                                          \
  crypto->name = (__typeof__(crypto->name))dlsym(handle, #name);                                   \
  if (!crypto->name) return 0;
  CRYPTO_LOAD(EVP_MD_CTX_new)
  CRYPTO_LOAD(EVP_MD_CTX_free)
  CRYPTO_LOAD(EVP_DigestInit_ex)
  CRYPTO_LOAD(EVP_DigestUpdate)
  CRYPTO_LOAD(EVP_DigestFinal_ex)
  CRYPTO_LOAD(EVP_sha256)
  CRYPTO_LOAD(EVP_sha1)
  CRYPTO_LOAD(HMAC)
#undef CRYPTO_LOAD
  return 1;
}
