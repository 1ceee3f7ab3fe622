/*
 * What one handle of libcurl is told, what it knows, and what it reports, sorted by whether waiting
 * can mend it.
 */
#include "easy.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* X509_V_ERR_* of OpenSSL's x509_vfy.h, which libcurl passes on. */
enum { CERT_NOT_YET_VALID = 9, CERT_HAS_EXPIRED = 10 };

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

/* The detail without the words that libcurl puts in front. */
static const char *
detail_behind(const char *detail, const char *words)
{
	const char *at = strstr(detail, words);

	return at == NULL ? detail : at + strlen(words);
}

static void
explain_certificate(CURL *easy, const char *detail, const char *host, struct buffer *text)
{
	long result = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
	buffer_printf(text, "the certificate of %s", host);
	if (result == CERT_HAS_EXPIRED)
		buffer_str(text, " has expired");
	else if (result == CERT_NOT_YET_VALID)
		buffer_str(text, " is not valid yet: is the clock right?");
	else if (strstr(detail, "subject name") != NULL)
		buffer_printf(text, " is for another host: %s", detail_behind(detail, "SSL: "));
	else
		buffer_printf(text,
			" is not trusted: %s; SSL_CERT_FILE names the authorities to trust",
			detail_behind(detail, "SSL certificate problem: "));
}

/* Whether TLS failed in a way that another try will not change. */
static enum trouble
explain_handshake(const char *detail, const char *host, struct buffer *text)
{
	if (strstr(detail, "wrong version number") != NULL) {
		buffer_printf(text,
			"%s does not speak TLS at this port: http:// instead of https://?", host);
		return TROUBLE_SETTING;
	}
	buffer_printf(text, "TLS with %s failed: %s", host, detail);
	return strstr(detail, " alert ") != NULL && strstr(detail, "internal error") == NULL
		       ? TROUBLE_FIRST_SETTING
		       : TROUBLE_SERVICE;
}

/* A name that does not exist, and not a name server that does not answer. */
static enum trouble
explain_name(const char *host, struct buffer *text)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	char name[256];
	struct addrinfo *list = NULL;
	int e;

	(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(host, ":"), host);
	e = getaddrinfo(name, NULL, &hints, &list);
	if (e == 0)
		freeaddrinfo(list);
	buffer_printf(text, "the name %s %s", name,
		e == EAI_NONAME ? "does not exist" : "cannot be resolved now");
	return e == EAI_NONAME ? TROUBLE_FIRST_SETTING : TROUBLE_SERVICE;
}

/* Whether a proxy has refused to connect us. */
static bool
refused_by_proxy(CURL *easy, const char *host, struct buffer *text)
{
	long http = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &http);
	if (http < 400 || http >= 500)
		return false;
	buffer_printf(text, "the proxy refuses to connect to %s: HTTP %ld%s", host, http,
		http == 407 ? ": it wants a user and a password" : "");
	return true;
}

/* What the detail is about, and whether waiting mends it. */
static enum trouble
other_trouble(CURLcode code, const char *detail, struct buffer *text)
{
	static const char trust[] = "the certificates to trust cannot be used";
	static const char proxy[] = "the proxy cannot be used";
	static const struct {
		CURLcode code;
		enum trouble trouble;
		const char *about;
	} known[] = {{CURLE_SSL_CACERT_BADFILE, TROUBLE_SETTING, trust},
		{CURLE_SSL_CERTPROBLEM, TROUBLE_SETTING, trust},
		{CURLE_SSL_CIPHER, TROUBLE_SETTING, trust},
		{CURLE_SSL_ENGINE_NOTFOUND, TROUBLE_SETTING, trust},
		{CURLE_URL_MALFORMAT, TROUBLE_SETTING, "libcurl does not take the URL"},
		{CURLE_COULDNT_RESOLVE_PROXY, TROUBLE_FIRST_SETTING, proxy},
		{CURLE_PROXY, TROUBLE_FIRST_SETTING, proxy}};
	const size_t n = sizeof known / sizeof known[0];
	size_t i = 0;

	while (i < n && known[i].code != code)
		i++;
	buffer_printf(text, "%s: %s", i < n ? known[i].about : "transfer failed", detail);
	return i < n ? known[i].trouble : TROUBLE_SERVICE;
}

enum trouble
easy_trouble(CURL *easy, CURLcode code, const char *detail, const char *host, struct buffer *text)
{
	if (refused_by_proxy(easy, host, text))
		return TROUBLE_SETTING;
	/* libcurl has no code of its own for it: each of its connections was closed before a byte
	 * came. */
	if (strstr(detail, "Connection died, tried") != NULL) {
		buffer_printf(text, "transfer failed: %s", detail);
		return TROUBLE_UNPROCESSED;
	}
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		explain_certificate(easy, detail, host, text);
		return TROUBLE_SETTING;
	case CURLE_SSL_CONNECT_ERROR:
		return explain_handshake(detail, host, text);
	case CURLE_COULDNT_RESOLVE_HOST:
		return explain_name(host, text);
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		buffer_printf(text, "%s does not speak HTTP at this port: %s", host, detail);
		return TROUBLE_FIRST_SETTING;
	case CURLE_OUT_OF_MEMORY:
		/* What libcurl says of a header line over 100 kB. */
		buffer_str(text, "transfer failed: a header line of the reply is over 100 kB, or "
				 "no memory is left");
		return TROUBLE_SERVICE;
	default:
		return other_trouble(code, detail, text);
	}
}

bool
easy_unprocessed(CURLcode code, bool reused)
{
	switch (code) {
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return true;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
		return reused;
	default:
		return false;
	}
}
