#ifndef TS_FETCH_EASY_H
#define TS_FETCH_EASY_H

#include "buffer.h"

#include <curl/curl.h>
#include <stdbool.h>
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

/* Whose trouble it is when a request fails. */
enum trouble {
	TROUBLE_NONE,
	TROUBLE_UNPROCESSED,   /* nobody's: the server closed its connections before it looked at it
				*/
	TROUBLE_SERVICE,       /* the service's, or the page's own: it may pass */
	TROUBLE_SETTING,       /* of the configuration: no wait mends it */
	TROUBLE_FIRST_SETTING, /* the same, unless the API has been reached before: then the
				  service's */
};

/*
 * Why a transfer from host failed with that code, in our own words where we have any, appended to
 * text; detail is what libcurl says. Where a name cannot be resolved it looks the name up once
 * more, which may take seconds.
 */
enum trouble easy_trouble(
	CURL *, CURLcode, const char *detail, const char *host, struct buffer *text);

/*
 * Whether a request that no byte came for was hardly looked at: a connection of HTTP/2 ended in
 * disorder, or one that had served others before was closed while this one was sent.
 */
bool easy_unprocessed(CURLcode, bool reused);

#endif
