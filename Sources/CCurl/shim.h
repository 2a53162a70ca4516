#include <curl/curl.h>

// Setters and getters of curl take whatever follows, which Swift cannot call: here each has one type.

static inline CURLcode curlSetNumber(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode curlSetSize(CURL *easy, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode curlSetText(CURL *easy, CURLoption option, const char *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode curlSetPointer(CURL *easy, CURLoption option, void *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode curlSetHeaders(CURL *easy, struct curl_slist *value) {
  return curl_easy_setopt(easy, CURLOPT_HTTPHEADER, value);
}

static inline CURLcode curlSetTransfer(CURL *easy, CURLoption option,
                                       size_t (*call)(char *, size_t, size_t, void *)) {
  return curl_easy_setopt(easy, option, call);
}

static inline CURLcode curlSetBeforeRequest(CURL *easy, curl_prereq_callback call) {
  return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, call);
}

static inline CURLcode curlSetOnSocket(CURL *easy, curl_sockopt_callback call) {
  return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, call);
}

// The names of protocols came in with 7.85, the numbers go with 9.
static inline CURLcode curlAllowHTTPOnly(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static inline CURLMcode curlSetLimit(CURLM *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}

static inline CURLcode curlResult(const CURLMsg *message) { return message->data.result; }
