/* SPDX-License-Identifier: MIT */
/* Linux: the processes of flows (owners.h).
 *
 * The tracepoint may have told a connection of TCP.  Else sock_diag(7) tells inode and user of the
 * socket.  A connection that was not accepted yet has no inode, so the listening socket counts.
 * Then the inode is looked for among the descriptors of all processes, together for all questions
 * of a call.
 * Only an end of this host is asked for: a socket without an address would match packets that this
 * host only passes on.  The originator's end goes first.  Sockets of other network namespaces are
 * not found. */
#include "owners/owners.h"

#include "base/clock.h"
#include "base/error.h"
#include "owners/diag_linux.h"
#include "owners/locals.h"
#include "owners/procs.h"
#include "owners/trace_linux.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IN_A_LOOK = 256, WAIT_STEPS = 10 };
#define WAIT_STEP_NS 10000000

const bool bpei_owners_are_told = true;

struct bpe_owners {
	int diag;
	struct bpei_procs *procs;
	struct bpei_tracer *tracer; /* NULL: the kernel or the rights do not allow it */
	struct bpei_locals locals;
};

/* Knowledge about a question before processes are looked at. */
struct owner_trail {
	uint32_t inode;
	int32_t traced; /* the process by the tracepoint; 0: none */
	char comm[BPEI_TRACE_COMM + 1];
};

/* ---- One question ---- */

/* Returns the flow's ends as seen from an end. */
static struct bpei_diag_ends see_ends(const struct bpe_owner_question *q, uint32_t end)
{
	return (struct bpei_diag_ends){ .addr = { q->addr[end], q->addr[!end] },
		.port = { q->port[end], q->port[!end] },
		.ip_proto = q->ip_proto,
		.ip_version = q->ip_version,
		.interface_index = q->interface_index };
}

/* Notes the socket.  Returns whether there is a process to look for. */
static bool note_socket(
	const struct bpei_diag_socket *s, struct bpe_owner_answer *a, struct owner_trail *trail)
{
	if (!s->inode)
		return false;
	trail->inode = s->inode;
	a->uid = (int32_t)s->uid;
	return true;
}

/* Asks for the socket of a TCP connection, then for the listening socket.  Returns the owner as far
 * as known without a look at processes. */
static enum bpe_owner trace_tcp(const struct bpe_owners *o, const struct bpe_owner_question *q,
	uint32_t end, struct bpe_owner_answer *a, struct owner_trail *trail)
{
	struct bpei_diag_ends ends = see_ends(q, end);
	struct bpei_diag_socket s;
	const enum bpei_diag_answer answer = bpei_diag_ask(o->diag, &ends, &s);
	const bool is_alive = answer == BPEI_DIAG_FOUND && s.state == BPEI_DIAG_ESTABLISHED;

	if (answer == BPEI_DIAG_FOUND && note_socket(&s, a, trail))
		return BPE_OWNER_UNKNOWN;
	if (answer == BPEI_DIAG_OTHER)
		return BPE_OWNER_UNKNOWN;
	ends.port[1] = 0; /* of no connection: a listening socket is left */
	if (bpei_diag_ask(o->diag, &ends, &s) == BPEI_DIAG_FOUND && s.state == BPEI_DIAG_LISTEN) {
		if (note_socket(&s, a, trail))
			return BPE_OWNER_UNKNOWN;
		return BPE_OWNER_NONE; /* the kernel's own */
	}
	if (is_alive)
		return BPE_OWNER_NONE;
	/* Nobody listens; or the socket of the originator is gone. */
	return answer == BPEI_DIAG_MISSING && end ? BPE_OWNER_NONE : BPE_OWNER_UNKNOWN;
}

/* Asks for a UDP socket.  The kernel looks as for a packet that comes in, so from and to change
 * places; some kernels turn them back. */
static enum bpe_owner trace_udp(const struct bpe_owners *o, const struct bpe_owner_question *q,
	uint32_t end, struct bpe_owner_answer *a, struct owner_trail *trail)
{
	for (uint32_t turned = 1; turned < 2; turned--) {
		const struct bpei_diag_ends ends = see_ends(q, end ^ turned);
		struct bpei_diag_socket s;
		const enum bpei_diag_answer answer = bpei_diag_ask(o->diag, &ends, &s);

		if (answer == BPEI_DIAG_OTHER)
			return BPE_OWNER_UNKNOWN;
		if (answer == BPEI_DIAG_MISSING || s.local_port != q->port[end])
			continue;
		return note_socket(&s, a, trail) ? BPE_OWNER_UNKNOWN : BPE_OWNER_NONE;
	}
	return end ? BPE_OWNER_NONE : BPE_OWNER_UNKNOWN;
}

/* Asks the tracepoint's connections.  Returns whether the process is known. */
static bool find_traced(const struct bpe_owners *o, const struct bpe_owner_question *q,
	uint32_t end, struct owner_trail *trail)
{
	const struct bpei_trace_ends ends = { .local = q->addr[end],
		.remote = q->addr[!end],
		.local_port = q->port[end],
		.remote_port = q->port[!end],
		.ip_version = q->ip_version };
	struct bpei_trace_owner owner;

	if (!o->tracer || !bpei_trace_find(bpei_tracer_trace(o->tracer), &ends, &owner))
		return false;
	trail->traced = owner.pid;
	memcpy(trail->comm, owner.comm, sizeof trail->comm);
	return true;
}

/* Returns the end of the flow to ask for: 0 or 1, or 2 if neither is of this host. */
static uint32_t choose_local_end(const struct bpe_owners *o, const struct bpe_owner_question *q)
{
	for (uint32_t end = 0; end < 2; end++)
		if (bpei_locals_have(&o->locals, q->addr[end], q->ip_version))
			return end;
	if (q->ip_proto == IPPROTO_UDP && bpei_is_address_of_many(q->addr[1], q->ip_version))
		return 1;
	return 2;
}

/* Asks the kernel for the socket. */
static void trace_question(const struct bpe_owners *o, const struct bpe_owner_question *q,
	struct bpe_owner_answer *a, struct owner_trail *trail)
{
	const uint32_t end = choose_local_end(o, q);
	enum bpe_owner owner = BPE_OWNER_UNKNOWN;

	*a = (struct bpe_owner_answer){ .pid = -1, .uid = -1 };
	*trail = (struct owner_trail){ .inode = 0 };
	if (end > 1) {
		a->owner = BPE_OWNER_NONE;
		return;
	}
	a->end = end;
	if (q->ip_proto == IPPROTO_TCP && !find_traced(o, q, end, trail))
		owner = trace_tcp(o, q, end, a, trail);
	else if (q->ip_proto == IPPROTO_UDP)
		owner = trace_udp(o, q, end, a, trail);
	a->owner = owner;
}

/* ---- The processes ---- */

/* Fills the answer with the process. */
static void name_owner(
	const struct bpe_owners *o, const struct owner_trail *trail, struct bpe_owner_answer *a)
{
	struct bpei_procs_found found;

	if (trail->inode && bpei_procs_find(o->procs, trail->inode, &found)) {
		a->pid = found.pid;
	} else if (trail->traced) {
		a->pid = trail->traced;
		if (!bpei_procs_by_pid(o->procs, trail->traced, &found)) {
			found = (struct bpei_procs_found){ .uid = (uint32_t)-1 };
			memcpy(found.comm, trail->comm, sizeof trail->comm);
		} else if (trail->comm[0]) {
			memcpy(found.comm, trail->comm, sizeof trail->comm);
		}
		a->uid = (int32_t)found.uid;
	} else {
		return;
	}
	a->owner = BPE_OWNER_KNOWN;
	memcpy(a->comm, found.comm, sizeof a->comm);
	memcpy(a->container, found.container, sizeof a->container);
}

/* Looks for all inodes; waits a little if the time for looks is used up. */
static void look_at_processes(const struct bpe_owners *o, const uint32_t *inodes, size_t n)
{
	for (int k = 0; k < WAIT_STEPS && !bpei_procs_look(o->procs, inodes, n); k++)
		bpei_clock_sleep_ns(WAIT_STEP_NS);
}

/* Asks the tracepoint once more for connections that were not complete before. */
static void trace_again(const struct bpe_owners *o, const struct bpe_owner_question *questions,
	const struct bpe_owner_answer *answers, struct owner_trail *trails, size_t n)
{
	if (!o->tracer)
		return;
	bpei_tracer_drain(o->tracer);
	for (size_t k = 0; k < n; k++) {
		const bool is_open = answers[k].owner == BPE_OWNER_UNKNOWN &&
				     questions[k].ip_proto == IPPROTO_TCP && !trails[k].inode &&
				     !trails[k].traced;

		if (is_open)
			find_traced(o, &questions[k], answers[k].end, &trails[k]);
	}
}

/* Answers at most IN_A_LOOK questions. */
static void answer_questions(const struct bpe_owners *o, const struct bpe_owner_question *questions,
	struct bpe_owner_answer *answers, size_t n)
{
	struct owner_trail trails[IN_A_LOOK];
	uint32_t inodes[IN_A_LOOK];

	for (size_t k = 0; k < n; k++) {
		trace_question(o, &questions[k], &answers[k], &trails[k]);
		inodes[k] = trails[k].inode;
	}
	look_at_processes(o, inodes, n);
	trace_again(o, questions, answers, trails, n);
	for (size_t k = 0; k < n; k++)
		name_owner(o, &trails[k], &answers[k]);
}

int bpei_owners_ask(struct bpe_owners *o, const struct bpe_owner_question *questions,
	struct bpe_owner_answer *answers, size_t n)
{
	if (o->tracer)
		bpei_tracer_drain(o->tracer);
	bpei_locals_read(&o->locals, bpei_clock_mono_ns());
	for (size_t k = 0; k < n; k += IN_A_LOOK) {
		const size_t rest = n - k;

		answer_questions(
			o, questions + k, answers + k, rest < IN_A_LOOK ? rest : IN_A_LOOK);
	}
	return BPE_OK;
}

int bpei_owners_open(struct bpe_owners **owners, struct bpe_error *error)
{
	struct bpe_owners *o = calloc(1, sizeof *o);

	if (!o)
		return bpei_fail(error, BPE_E_MEMORY, "owners", 0, "no memory");
	o->diag = bpei_diag_open();
	if (o->diag < 0) {
		const int failed = errno;

		bpei_owners_close(o);
		return bpei_fail(error, bpei_status_of(failed), "sock_diag", failed,
			"this kernel cannot be asked for sockets (CONFIG_INET_DIAG)");
	}
	o->procs = bpei_procs_new("/proc", bpei_clock_mono_ns);
	if (!o->procs) {
		bpei_owners_close(o);
		return bpei_fail(error, BPE_E_UNSUPPORTED, "owners", 0,
			"/proc cannot be read: processes are found there");
	}
	o->tracer = bpei_tracer_open();
	*owners = o;
	return BPE_OK;
}

void bpei_owners_close(struct bpe_owners *o)
{
	if (!o)
		return;
	if (o->diag >= 0)
		close(o->diag);
	bpei_procs_free(o->procs);
	bpei_tracer_close(o->tracer);
	bpei_locals_free(&o->locals);
	free(o);
}
