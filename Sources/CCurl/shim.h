#include <curl/curl.h>
#include <dlfcn.h>

// What is called of libcurl. It is loaded at its first use, and not linked: with the thirty libraries behind it, it takes
// time and memory of every process, and most never talk to a server.
#define CURL_FUNCTIONS(X)                                                                          \
  X(global_init)                                                                                   \
  X(easy_init)                                                                                     \
  X(easy_setopt)                                                                                   \
  X(easy_strerror)                                                                                 \
  X(easy_cleanup)                                                                                  \
  X(slist_append)                                                                                  \
  X(slist_free_all)                                                                                \
  X(multi_init)                                                                                    \
  X(multi_setopt)                                                                                  \
  X(multi_add_handle)                                                                              \
  X(multi_remove_handle)                                                                           \
  X(multi_perform)                                                                                 \
  X(multi_poll)                                                                                    \
  X(multi_wakeup)                                                                                  \
  X(multi_info_read)                                                                               \
  X(multi_cleanup)

typedef struct {
#define CURL_MEMBER(name) __typeof__(curl_##name) *name;
  CURL_FUNCTIONS(CURL_MEMBER)
#undef CURL_MEMBER
} CurlFunctions;

// Loads the functions; false where the library is not there, or lacks one.
static inline _Bool curlLoad(CurlFunctions *curl, const char *library) {
  void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
  if (!handle) return 0;
#define CURL_LOAD(name)                                                                            \
  curl->name = (__typeof__(curl_##name) *)dlsym(handle, "curl_" #name);                            \
  if (!curl->name) return 0;
  CURL_FUNCTIONS(CURL_LOAD)
#undef CURL_LOAD
  return 1;
}

// Setters and getters of curl take whatever follows, which Swift cannot call: here each has one type.

static inline CURLcode curlSetNumber(const CurlFunctions *curl, CURL *easy, CURLoption option, long value) {
  return curl->easy_setopt(easy, option, value);
}

static inline CURLcode curlSetSize(const CurlFunctions *curl, CURL *easy, CURLoption option, curl_off_t value) {
  return curl->easy_setopt(easy, option, value);
}

static inline CURLcode curlSetText(const CurlFunctions *curl, CURL *easy, CURLoption option, const char *value) {
  return curl->easy_setopt(easy, option, value);
}

static inline CURLcode curlSetPointer(const CurlFunctions *curl, CURL *easy, CURLoption option, void *value) {
  return curl->easy_setopt(easy, option, value);
}

static inline CURLcode curlSetHeaders(const CurlFunctions *curl, CURL *easy, struct curl_slist *value) {
  return curl->easy_setopt(easy, CURLOPT_HTTPHEADER, value);
}

static inline CURLcode curlSetTransfer(const CurlFunctions *curl, CURL *easy, CURLoption option,
                                       size_t (*call)(char *, size_t, size_t, void *)) {
  return curl->easy_setopt(easy, option, call);
}

static inline CURLcode curlSetBeforeRequest(const CurlFunctions *curl, CURL *easy, curl_prereq_callback call) {
  return curl->easy_setopt(easy, CURLOPT_PREREQFUNCTION, call);
}

static inline CURLcode curlSetOnSocket(const CurlFunctions *curl, CURL *easy, curl_sockopt_callback call) {
  return curl->easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, call);
}

// The names of protocols came in with 7.85, the numbers go with 9.
static inline CURLcode curlAllowHTTPOnly(const CurlFunctions *curl, CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
  return curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  return curl->easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static inline CURLMcode curlSetLimit(const CurlFunctions *curl, CURLM *multi, CURLMoption option, long value) {
  return curl->multi_setopt(multi, option, value);
}

static inline CURLcode curlResult(const CURLMsg *message) { return message->data.result; }
