/* SPDX-License-Identifier: MIT */
/* Messages in a file (RFC 5655): one after another (transport.h).
 *
 * A file holds whole messages alone: a part that a full disk or a dead sender left is cut off.
 *  kept[EXPORT_KEPT - 1] of the books: bytes of whole messages in a regular file. */
#include "transport_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define FILE_KEPT (EXPORT_KEPT - 1)

int transport_file_make(struct transport *t)
{
	struct outfile *const o = &t->file.out;
	struct export_sender *const sender = t->sender;

	if (!outfile_find(o, t->settings.path, NULL, geteuid()) && !outfile_make(o) &&
		!outfile_empty(o))
		return 0;
	snprintf(sender->why, sizeof sender->why, "%.100s: %.140s", t->settings.path, o->why);
	outfile_close(o);
	return -1;
}

/* Cuts the file to whole messages. */
static void cut_file(const struct transport *t)
{
	const uint64_t whole =
		atomic_load_explicit(&t->sender->books->kept[FILE_KEPT], memory_order_relaxed);

	if (t->file.out.regular && ftruncate(t->file.out.fd, (off_t)whole))
		export_say(t->sender, "%s: %s", t->settings.path, strerror(errno));
}

int transport_file_open(struct transport *t)
{
	cut_file(t);
	transport_set_up(t);
	return 0;
}

/* Writes a whole message.  Returns 0 or an errno. */
static int write_whole(struct transport *t, const uint8_t *bytes, uint32_t n)
{
	uint32_t done = 0;

	while (done < n) {
		const ssize_t k = write(t->file.out.fd, bytes + done, n - done);

		if (k > 0)
			done += (uint32_t)k;
		else if (k < 0 && errno != EINTR)
			return errno;
	}
	export_add(&t->sender->books->kept[FILE_KEPT], n);
	return 0;
}

/* Writes a message, and settles the books.  Returns whether the file has the message. */
static bool write_settled(struct transport *t, const uint8_t *bytes, uint32_t n, uint32_t flows)
{
	struct export_books *const books = t->sender->books;
	const int failed = write_whole(t, bytes, n);

	if (failed) {
		cut_file(t);
		export_say(t->sender, "%s: %s; records are lost until there is room",
			t->settings.path, strerror(failed));
		atomic_store_explicit(&books->is_connected, 0, memory_order_relaxed);
		export_add(&books->failed, flows);
		return false;
	}
	atomic_store_explicit(&books->is_connected, 1, memory_order_relaxed);
	export_add(&books->sent, flows);
	export_add(&books->messages, 1);
	export_add(&books->bytes, n);
	return true;
}

/* Writes the greeting.  Returns whether the file has all of the greeting. */
static bool greet_file(struct transport *t)
{
	for (uint32_t k = 0; k < t->greeting_count; k++) {
		struct transport_greeting *const g = &t->greetings[k];

		transport_stamp(t, g->bytes, g->records);
		if (!write_settled(t, g->bytes, g->count, 0))
			return false;
	}
	return true;
}

int transport_file_work(struct transport *t)
{
	for (; t->head != t->tail; t->head++) {
		struct transport_slot *const s = transport_slot(t, t->head);

		if (!t->file.is_greeted)
			t->file.is_greeted = greet_file(t);
		if (!t->file.is_greeted) {
			/* records without their templates say nothing */
			export_add(&t->sender->books->failed, s->flows);
			continue;
		}
		transport_stamp(t, transport_bytes(t, t->head), s->records);
		write_settled(t, transport_bytes(t, t->head), s->bytes, s->flows);
	}
	t->next = t->head;
	return 1000;
}
