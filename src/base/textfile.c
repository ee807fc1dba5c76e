/* SPDX-License-Identifier: MIT */
/* Reading a file as the bytes come, so pipes are files, too: the bound is checked while reading,
 * not before.  Stateless. */
#include "base/textfile.h"

#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct text_buffer {
	char *text;
	size_t used, room; /* room: without the 0 at the end */
};

/* Doubles the room.  Returns 0 or ENOMEM. */
static int grow_text(struct text_buffer *b)
{
	char *more = realloc(b->text, b->room * 2 + 1);

	if (!more)
		return ENOMEM;
	b->text = more;
	b->room *= 2;
	return 0;
}

/* Reads the file to the end.  Returns 0 or an errno. */
static int read_text(int file, struct text_buffer *b, size_t most)
{
	int why = 0;

	while (!why) {
		ssize_t got = read(file, b->text + b->used, b->room - b->used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (!got)
			break;
		b->used += (size_t)got;
		if (b->used > most)
			return EFBIG;
		if (b->used == b->room)
			why = grow_text(b);
	}
	return why;
}

char *bpei_textfile_read(const char *path, size_t most)
{
	struct text_buffer b = { .room = 4096 };
	const int file = bpei_fd_open(path, O_RDONLY);
	int why;

	if (file < 0)
		return NULL;
	b.text = malloc(b.room + 1);
	why = b.text ? read_text(file, &b, most) : ENOMEM;
	close(file);
	if (!why && memchr(b.text, 0, b.used))
		why = EILSEQ;
	if (why) {
		free(b.text);
		errno = why;
		return NULL;
	}
	b.text[b.used] = 0;
	return b.text;
}
