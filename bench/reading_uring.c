/* SPDX-License-Identifier: MIT */
/* Reading by io_uring into registered buffers, for bench_reading; Linux.  Source: io_uring(7). */
#include "reading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __linux__
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct uring {
	int fd;
	uint8_t *ring;
	size_t ring_bytes, entry_bytes;
	struct io_uring_sqe *entries;
	struct io_uring_params how;
	uint64_t asked; /* offset of the next bytes to be asked for */
	uint64_t slots_asked;
	int result[READING_SLOTS];
	bool done[READING_SLOTS];
};

static _Atomic uint32_t *ring_word(struct uring *u, uint32_t offset)
{
	return (_Atomic uint32_t *)(void *)(u->ring + offset);
}

void reading_uring_open(struct reading *r)
{
	struct uring *u = calloc(1, sizeof *u);
	struct iovec buffers[READING_SLOTS];

	u->fd = (int)syscall(SYS_io_uring_setup, READING_SLOTS, &u->how);
	if (u->fd < 0) {
		perror("io_uring_setup");
		exit(1);
	}
	const struct io_uring_params *how = &u->how;
	const size_t queue = how->sq_off.array + how->sq_entries * sizeof(uint32_t);
	const size_t results = how->cq_off.cqes + how->cq_entries * sizeof(struct io_uring_cqe);

	u->ring_bytes = queue > results ? queue : results;
	u->ring = mmap(NULL, u->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		u->fd, IORING_OFF_SQ_RING);
	u->entry_bytes = how->sq_entries * sizeof *u->entries;
	u->entries = mmap(NULL, u->entry_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		u->fd, IORING_OFF_SQES);
	for (uint32_t k = 0; k < r->way->slots; k++) {
		buffers[k].iov_base = r->buffer[k] + READING_HEADROOM;
		buffers[k].iov_len = r->way->step;
	}
	if (u->ring == MAP_FAILED || (void *)u->entries == MAP_FAILED ||
		syscall(SYS_io_uring_register, u->fd, IORING_REGISTER_BUFFERS, buffers,
			r->way->slots) < 0) {
		perror("io_uring");
		exit(1);
	}
	u->asked = r->at;
	r->uring = u;
}

/* Asks for the next bytes, for the slot. */
static void ask_for_slot(struct reading *r, struct uring *u, uint32_t slot)
{
	const struct io_uring_params *how = &u->how;
	_Atomic uint32_t *tail = ring_word(u, how->sq_off.tail);
	const uint32_t at = *tail & (how->sq_entries - 1);
	struct io_uring_sqe *e = &u->entries[at];

	memset(e, 0, sizeof *e);
	e->opcode = IORING_OP_READ_FIXED;
	e->flags = r->way->window ? IOSQE_ASYNC : 0;
	e->fd = r->fd;
	e->off = u->asked;
	e->addr = (uintptr_t)(r->buffer[slot] + READING_HEADROOM);
	e->len = (uint32_t)r->way->step;
	e->buf_index = (uint16_t)slot;
	e->user_data = slot;
	*ring_word(u, how->sq_off.array + at * (uint32_t)sizeof(uint32_t)) = at;
	*tail = *tail + 1;
	u->asked += r->way->step;
	u->slots_asked++;
	u->done[slot] = false;
	if (syscall(SYS_io_uring_enter, u->fd, 1, 0, 0, NULL, 0) < 0)
		abort();
}

/* Waits for the slot's bytes.  Returns their number. */
static int wait_for_slot(struct uring *u, uint32_t slot)
{
	const struct io_uring_params *how = &u->how;
	_Atomic uint32_t *head = ring_word(u, how->cq_off.head);

	while (!u->done[slot]) {
		if (*head == *ring_word(u, how->cq_off.tail)) {
			syscall(SYS_io_uring_enter, u->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
			continue;
		}
		const struct io_uring_cqe *c =
			(struct io_uring_cqe *)(void *)(u->ring + how->cq_off.cqes) +
			(*head & (how->cq_entries - 1));
		u->result[c->user_data] = c->res;
		u->done[c->user_data] = true;
		*head = *head + 1;
	}
	return u->result[slot];
}

const uint8_t *reading_uring_next(struct reading *r, size_t *length)
{
	struct uring *u = r->uring;
	const uint32_t slots = r->way->slots;
	const uint32_t slot = r->slot % slots;

	/* With several slots, all but the one before are asked for; the bytes left over lie
	 * there. */
	while (slots > 1 && u->slots_asked < r->slot + slots - 1)
		ask_for_slot(r, u, (uint32_t)(u->slots_asked % slots));
	const uint8_t *from = reading_carry(r, slot);

	if (slots == 1)
		ask_for_slot(r, u, 0);
	const int n = wait_for_slot(u, slot);

	if (n < 0) {
		errno = -n;
		perror("io_uring read");
		exit(1);
	}
	r->slot++;
	*length = n ? r->left_bytes + (size_t)n : 0;
	return from;
}

void reading_uring_close(struct reading *r)
{
	struct uring *u = r->uring;

	for (uint32_t k = 0; k < r->way->slots && u->slots_asked; k++)
		wait_for_slot(u, k);
	munmap(u->ring, u->ring_bytes);
	munmap(u->entries, u->entry_bytes);
	close(u->fd);
	free(u);
}
#else
typedef int reading_uring_is_for_linux;
#endif
