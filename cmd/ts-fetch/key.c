/*
 * The key comes by the environment or a file, never by an argument, which every user of a machine
 * sees.
 */
#include "key.h"

#include "file.h"
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
	const char *why = fd < 0 ? strerror(errno) : file_take(fd, KEY_BYTES, key);

	if (why != NULL)
		log_error("MASSIVE_API_KEY_FILE: %s: %s", path, why);
	if (fd >= 0)
		(void)close(fd);
	while (key->len > 0 && strchr("\r\n", key->p[key->len - 1]) != NULL)
		key->len--;
	return why == NULL ? 0 : -1;
}

/*
 * It goes into a header line as it is. What a paste, a shell or an editor leaves around a key is
 * not cut off but told: the API would only say that it does not know the key.
 */
static int
check_key(const struct buffer *key)
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
	return check_key(key);
}
