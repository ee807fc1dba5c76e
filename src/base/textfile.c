/* SPDX-License-Identifier: MIT */
/* Read as it comes, so that pipes are files, too; the bound is looked at on the way, not before.
 * Stateless. */
#include "base/textfile.h"

#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *bpei_textfile_read(const char *path, size_t most)
{
	size_t n = 0, room = 4096;
	char *text = malloc(room + 1);
	int file = bpei_fd_open(path, O_RDONLY), why = file < 0 ? errno : text ? 0 : ENOMEM;
	while (!why) {
		ssize_t got = read(file, text + n, room - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			why = errno;
		if (got <= 0)
			break;
		n += (size_t)got;
		if (n > most)
			why = EFBIG;
		if (n < room || why)
			continue;
		char *more = realloc(text, room * 2 + 1);
		if (more)
			text = more, room *= 2;
		else
			why = ENOMEM;
	}
	if (file >= 0)
		close(file);
	if (!why && memchr(text, 0, n))
		why = EILSEQ;
	if (why) {
		free(text);
		errno = why;
		return NULL;
	}
	text[n] = 0;
	return text;
}
