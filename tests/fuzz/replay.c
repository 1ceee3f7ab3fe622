/* Runs a fuzz target over the files of a folder: what was once found is never lost again. TAP. */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SIZE_LIMIT = 1 << 20 };

static void
replay(int dir, const char *name, uint8_t *data)
{
	int fd = openat(dir, name, O_RDONLY);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		abort();
	while (n < SIZE_LIMIT && (got = read(fd, data + n, SIZE_LIMIT - n)) > 0)
		n += (size_t)got;
	(void)close(fd);
	(void)LLVMFuzzerTestOneInput(data, n);
}

int
main(void)
{
	DIR *d = opendir(CORPUS);
	uint8_t *data = malloc(SIZE_LIMIT);
	struct dirent *e;
	int n = 0;

	if (d == NULL || data == NULL) {
		printf("Bail out! no corpus %s\n", CORPUS);
		return 1;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		replay(dirfd(d), e->d_name, data);
		printf("ok %d - %s\n", ++n, e->d_name);
	}
	printf("1..%d\n", n);
	free(data);
	(void)closedir(d);
	return n == 0;
}
