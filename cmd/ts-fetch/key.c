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

/* It goes into a header line as it is. */
static int
check(const struct buffer *key)
{
	for (size_t i = 0; i < key->len; i++) {
		unsigned char c = (unsigned char)key->p[i];

		if (c < 0x20 || c == 0x7f) {
			log_error("the API key holds a control character");
			return -1;
		}
	}
	if (key->len >= KEY_BYTES) {
		log_error("the API key is too long");
		return -1;
	}
	return 0;
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
