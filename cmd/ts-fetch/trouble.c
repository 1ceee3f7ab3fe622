/* What libcurl reports, sorted by whether waiting can mend it. */
#include "trouble.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* X509_V_ERR_* of OpenSSL's x509_vfy.h, which libcurl passes on. */
enum { CERT_NOT_YET_VALID = 9, CERT_HAS_EXPIRED = 10 };

static void
say(struct buffer *text, const char *a, const char *b, const char *c)
{
	buffer_str(text, a);
	buffer_str(text, b);
	buffer_str(text, c);
}

/* The detail without the words that libcurl puts in front. */
static const char *
behind(const char *detail, const char *words)
{
	const char *at = strstr(detail, words);

	return at == NULL ? detail : at + strlen(words);
}

static void
certificate(CURL *easy, const char *detail, const char *host, struct buffer *text)
{
	long result = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
	say(text, "the certificate of ", host, "");
	if (result == CERT_HAS_EXPIRED)
		buffer_str(text, " has expired");
	else if (result == CERT_NOT_YET_VALID)
		buffer_str(text, " is not valid yet: is the clock right?");
	else if (strstr(detail, "subject name") != NULL)
		say(text, " is for another host: ", behind(detail, "SSL: "), "");
	else
		say(text, " is not trusted: ", behind(detail, "SSL certificate problem: "),
			"; SSL_CERT_FILE names the authorities to trust");
}

/* Whether TLS failed in a way that another try will not change. */
static enum trouble
handshake(const char *detail, const char *host, struct buffer *text)
{
	if (strstr(detail, "wrong version number") != NULL) {
		say(text, host, " does not speak TLS at this port: http:// instead of https://?",
			"");
		return TROUBLE_SETTING;
	}
	say(text, "TLS with ", host, " failed: ");
	buffer_str(text, detail);
	return strstr(detail, " alert ") != NULL && strstr(detail, "internal error") == NULL
		       ? TROUBLE_FIRST_SETTING
		       : TROUBLE_SERVICE;
}

/* A name that does not exist, and not a name server that does not answer. */
static enum trouble
unresolved(const char *host, struct buffer *text)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	char name[256];
	struct addrinfo *list = NULL;
	int e;

	(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(host, ":"), host);
	e = getaddrinfo(name, NULL, &hints, &list);
	if (e == 0)
		freeaddrinfo(list);
	say(text, "the name ", name,
		e == EAI_NONAME ? " does not exist" : " cannot be resolved now");
	return e == EAI_NONAME ? TROUBLE_FIRST_SETTING : TROUBLE_SERVICE;
}

enum trouble
trouble_of(CURL *easy, CURLcode code, const char *detail, const char *host, struct buffer *text)
{
	long proxy = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &proxy);
	if (proxy >= 400 && proxy < 500) {
		char number[16];

		(void)snprintf(number, sizeof number, "%ld", proxy);
		say(text, "the proxy refuses to connect to ", host, ": HTTP ");
		say(text, number, proxy == 407 ? ": it wants a user and a password" : "", "");
		return TROUBLE_SETTING;
	}
	/* libcurl has no code of its own for it: each of its connections was closed before a byte
	 * came. */
	if (strstr(detail, "Connection died, tried") != NULL) {
		say(text, "transfer failed: ", detail, "");
		return TROUBLE_UNPROCESSED;
	}
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		certificate(easy, detail, host, text);
		return TROUBLE_SETTING;
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ENGINE_NOTFOUND:
		say(text, "the certificates to trust cannot be used: ", detail, "");
		return TROUBLE_SETTING;
	case CURLE_SSL_CONNECT_ERROR:
		return handshake(detail, host, text);
	case CURLE_URL_MALFORMAT:
		say(text, "libcurl does not take the URL: ", detail, "");
		return TROUBLE_SETTING;
	case CURLE_COULDNT_RESOLVE_HOST:
		return unresolved(host, text);
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_PROXY:
		say(text, "the proxy cannot be used: ", detail, "");
		return TROUBLE_FIRST_SETTING;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		say(text, host, " does not speak HTTP at this port: ", detail);
		return TROUBLE_FIRST_SETTING;
	case CURLE_OUT_OF_MEMORY:
		/* What libcurl says of a header line over 100 kB. */
		buffer_str(text, "transfer failed: a header line of the reply is over 100 kB, or "
				 "no memory is left");
		return TROUBLE_SERVICE;
	default:
		say(text, "transfer failed: ", detail, "");
		return TROUBLE_SERVICE;
	}
}

bool
trouble_unprocessed(CURLcode code, bool reused)
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
