/*
 * The key comes by the environment or a file, never by an argument, which every user of a machine
 * sees.
 */
#include "key.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_BYTES = 4096 };

static int
read_file(struct buffer *key, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t start = key->len;
	ssize_t n = -1;

	if (fd >= 0) {
		do {
			n = read(fd, buffer_room(key, KEY_BYTES), KEY_BYTES);
			if (n > 0)
				key->len += (size_t)n;
		} while ((n > 0 && key->len - start < KEY_BYTES) || (n < 0 && errno == EINTR));
	}
	if (n < 0)
		log_error("MASSIVE_API_KEY_FILE: %s: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	while (key->len > start && strchr("\r\n", key->p[key->len - 1]) != NULL)
		key->len--;
	return n < 0 ? -1 : 0;
}

/*
 * It goes into a header line as it is. What a paste, a shell or an editor leaves around a key is
 * not cut off but told: the API would only say that it does not know the key.
 */
static int
check(const struct buffer *key)
{
	const char *why = NULL;

	for (size_t i = 0; i < key->len; i++) {
		unsigned char c = (unsigned char)key->p[i];

		if (c < 0x20 || c == 0x7f)
			why = "it holds a control character";
		else if (c == ' ' || c == '"' || c == '\'')
			why = "it holds a blank or a quote: set it to the key alone";
		else if (c > 0x7f)
			why = "it holds a character beyond ASCII, such as a byte order mark: set "
			      "it to "
			      "the key alone";
		if (why != NULL)
			break;
	}
	if (key->len >= KEY_BYTES)
		why = "it is too long";
	if (why != NULL)
		log_error("the API key cannot be used: %s", why);
	return why == NULL ? 0 : -1;
}

int
key_read(struct buffer *key, const char **where)
{
	const char *value = getenv("MASSIVE_API_KEY");
	const char *path = getenv("MASSIVE_API_KEY_FILE");

	*where = "none";
	if (value != NULL && value[0] != '\0') {
		*where = "environment";
		buffer_str(key, value);
	} else if (path != NULL && path[0] != '\0') {
		*where = "file";
		if (read_file(key, path) != 0)
			return -1;
	}
	if (key->len == 0)
		*where = "none";
	return check(key);
}
