/* What one handle of libcurl is told, and what it knows. */
#include "easy.h"

#include "buffer.h"

#include <stdlib.h>

/* Where curl(1) looks for the authorities to trust; libcurl by itself does not. */
CURLcode
easy_authorities(CURL *easy)
{
	const char *file = getenv("CURL_CA_BUNDLE"), *dir = NULL;
	CURLcode e = CURLE_OK;

	if (file == NULL || file[0] == '\0') {
		file = getenv("SSL_CERT_FILE");
		dir = getenv("SSL_CERT_DIR");
	}
	if (dir != NULL && dir[0] != '\0')
		e = curl_easy_setopt(easy, CURLOPT_CAPATH, dir);
	if (e == CURLE_OK && file != NULL && file[0] != '\0')
		e = curl_easy_setopt(easy, CURLOPT_CAINFO, file);
	return e;
}

/* The value of a header of the last response, or NULL. */
const char *
easy_header(CURL *easy, const char *name)
{
	struct curl_header *h;

	return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value : NULL;
}

/*
 * RFC 9110, 10.2.3: seconds, or a date. The date is the server's, so it is compared with the
 * server's clock.
 */
int64_t
easy_retry_after(CURL *easy)
{
	const char *value = easy_header(easy, "Retry-After");
	const char *date = easy_header(easy, "Date");
	uint64_t seconds;
	time_t then, now;

	if (value == NULL)
		return -1;
	if (slice_count(slice_of(value), &seconds) == 0)
		return seconds > 86400 ? 86400 * 1000 : (int64_t)seconds * 1000;
	then = curl_getdate(value, NULL);
	now = date == NULL ? -1 : curl_getdate(date, NULL);
	if (then == -1 || now == -1)
		return -1;
	return then <= now ? 0 : (int64_t)(then - now) * 1000;
}

struct curl_slist *
easy_headers(const char *key)
{
	struct curl_slist *list = curl_slist_append(NULL, "Accept-Encoding: gzip"), *longer;
	struct buffer line = {0};

	if (list == NULL || key == NULL)
		return list;
	buffer_printf(&line, "Authorization: Bearer %s", key);
	longer = curl_slist_append(list, buffer_cstr(&line));
	buffer_release(&line);
	if (longer == NULL)
		curl_slist_free_all(list);
	return longer;
}
