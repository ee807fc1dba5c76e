/* SPDX-License-Identifier: MIT */
/* FreeBSD and macOS: the processes of flows by a list of all sockets (owners.h).
 *
 * The list is read anew when a question does not find a socket, at most a tenth of the time.  Only
 * an end of this host is asked for, the originator's first. */
#include "owners/owners.h"

#include "base/clock.h"
#include "base/error.h"
#include "owners/locals.h"
#include "owners/sockets.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define SHARE 10 /* reading takes a 10th of the time */

const bool bpei_owners_are_told = true;

struct bpe_owners {
	struct bpei_sockets sockets;
	struct bpei_locals locals;
	int64_t next_ns; /* when the list may be read again */
};

/* Reads the list, if there was time enough since the last reading. */
static void read_list_again(struct bpe_owners *o)
{
	const int64_t now = bpei_clock_mono_ns();

	if (now < o->next_ns)
		return;
	o->sockets.count = 0;
	bpei_listed_read(&o->sockets);
	o->next_ns = now + SHARE * (bpei_clock_mono_ns() - now);
}

/* Returns the end of the flow to ask for: 0 or 1, or 2 if neither is of this host. */
static uint32_t choose_listed_end(const struct bpe_owners *o, const struct bpe_owner_question *q)
{
	for (uint32_t end = 0; end < 2; end++)
		if (bpei_locals_have(&o->locals, q->addr[end], q->ip_version))
			return end;
	if (q->ip_proto == IPPROTO_UDP && bpei_is_address_of_many(q->addr[1], q->ip_version))
		return 1;
	return 2;
}

/* Answers by the list.  Returns false if a socket of this host was not found. */
static bool answer_by_list(
	const struct bpe_owners *o, const struct bpe_owner_question *q, struct bpe_owner_answer *a)
{
	const uint32_t end = choose_listed_end(o, q);
	const struct bpei_socket *s = end < 2 ? bpei_sockets_find(&o->sockets, q, end) : NULL;

	*a = (struct bpe_owner_answer){ .pid = -1, .uid = -1 };
	if (end > 1) {
		a->owner = BPE_OWNER_NONE;
		return true;
	}
	a->end = end;
	if (!s || !s->pid)
		return false;
	a->owner = BPE_OWNER_KNOWN;
	a->pid = s->pid;
	a->uid = (int32_t)s->uid;
	bpei_listed_name(s->pid, a->comm, sizeof a->comm);
	return true;
}

int bpei_owners_ask(struct bpe_owners *o, const struct bpe_owner_question *questions,
	struct bpe_owner_answer *answers, size_t n)
{
	bool is_read = false;

	bpei_locals_read(&o->locals, bpei_clock_mono_ns());
	for (size_t k = 0; k < n; k++) {
		if (answer_by_list(o, &questions[k], &answers[k]) || is_read)
			continue;
		is_read = true; /* once for all questions */
		read_list_again(o);
		answer_by_list(o, &questions[k], &answers[k]);
	}
	return BPE_OK;
}

int bpei_owners_open(struct bpe_owners **owners, struct bpe_error *error)
{
	struct bpe_owners *o = calloc(1, sizeof *o);

	if (!o)
		return bpei_fail(error, BPE_E_MEMORY, "owners", 0, "no memory");
	const int status = bpei_listed_read(&o->sockets);

	if (status < 0) {
		bpei_owners_close(o);
		return bpei_fail(error, status, "owners", 0,
			"the system's list of sockets cannot be read here");
	}
	*owners = o;
	return BPE_OK;
}

void bpei_owners_close(struct bpe_owners *o)
{
	if (!o)
		return;
	bpei_sockets_free(&o->sockets);
	bpei_locals_free(&o->locals);
	free(o);
}
