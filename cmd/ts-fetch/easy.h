#ifndef TS_FETCH_EASY_H
#define TS_FETCH_EASY_H

#include <curl/curl.h>
#include <stdint.h>

/* Trusts the authorities that CURL_CA_BUNDLE, or else SSL_CERT_FILE and SSL_CERT_DIR name. */
CURLcode easy_authorities(CURL *);

/* The headers of each request, with the key unless it is NULL: for curl_slist_free_all(), or NULL.
 */
struct curl_slist *easy_headers(const char *key);

/* The value of a header of the last response, or NULL; valid until the next request. */
const char *easy_header(CURL *, const char *name);

/* For how many ms the last response asked to wait; -1 if it did not. */
int64_t easy_retry_after(CURL *);

#endif
