/* SPDX-License-Identifier: MIT */
/* Connections and processes by records of the tracepoint (trace.h).
 *
 * When a socket begins to connect, the kernel may not have chosen a port yet.  So the socket's
 * address in the kernel is noted with the process.  At the next change of state, with all ports,
 * the connection is noted.  Three tables have sets of four: sockets, connections, names.  A full
 * set loses an old element. */
#include "owners/trace.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETS = 4096, WAYS = 4 };
/* struct perf_event_header, and types of records. */
enum { HEAD = 8, TYPE_COMM = 3, TYPE_FORK = 7, TYPE_SAMPLE = 9 };
/* A sample: pid and tid, time, length of the raw bytes, raw bytes. */
enum { SAMPLE_PID = 8, SAMPLE_RAW_BYTES = 24, SAMPLE_RAW = 28 };
/* States of TCP's sockets in Linux. */
enum { ESTABLISHED = 1, SYN_SENT = 2, FIN_WAIT_1 = 4, LAST_ACK = 9 };
enum { FAMILY_4 = 2, FAMILY_6 = 10, PROTOCOL_TCP = 6 };

struct traced_socket {
	uint64_t address; /* 0: free */
	int32_t pid;
};
struct traced_connection {
	uint8_t local[16], remote[16];
	uint16_t local_port, remote_port; /* local_port 0: free */
	uint8_t ip_version;
	int32_t pid;
};
struct traced_name {
	int32_t pid; /* 0: free */
	char comm[BPEI_TRACE_COMM + 1];
};
struct bpei_trace {
	struct bpei_trace_format format;
	uint32_t turn; /* which way of a full set is taken next */
	struct traced_socket sockets[SETS * WAYS];
	struct traced_connection connections[SETS * WAYS];
	struct traced_name names[SETS * WAYS];
};

/* ---- The format ---- */

struct format_field {
	const char *name;
	size_t to;
	unsigned bytes;
};
#define FIELD(name, member, bytes) { name, offsetof(struct bpei_trace_format, member), bytes }
static const struct format_field fields[] = { FIELD(" skaddr;", socket, 8),
	FIELD(" oldstate;", before, 4), FIELD(" newstate;", after, 4),
	FIELD(" sport;", local_port, 2), FIELD(" dport;", remote_port, 2),
	FIELD(" family;", family, 2), FIELD(" protocol;", protocol, 0),
	FIELD(" saddr[4];", local_4, 4), FIELD(" daddr[4];", remote_4, 4),
	FIELD(" saddr_v6[16];", local_6, 16), FIELD(" daddr_v6[16];", remote_6, 16) };

bool bpei_trace_format_read(const char *text, struct bpei_trace_format *format)
{
	struct bpei_trace_format f = { .bytes = 0 };

	for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
		const char *line = strstr(text, fields[k].name);
		unsigned offset;
		unsigned bytes;

		if (!line || sscanf(line + strlen(fields[k].name), " offset:%u; size:%u;", &offset,
				     &bytes) != 2)
			return false;
		if (offset > 1024 || (fields[k].bytes && bytes != fields[k].bytes))
			return false;
		if (!fields[k].bytes && bytes > 2) /* the protocol had a byte before Linux 5.6 */
			return false;
		const uint16_t at = (uint16_t)offset;

		memcpy((char *)&f + fields[k].to, &at, sizeof at);
		if (offset + bytes > f.bytes)
			f.bytes = (uint16_t)(offset + bytes);
	}
	*format = f;
	return true;
}

/* ---- Tables ---- */

static uint32_t hash_traced(uint64_t n)
{
	n *= UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(n >> 40) % SETS * WAYS;
}

static uint32_t hash_traced_ends(const struct traced_connection *c)
{
	const uint64_t ports = (uint64_t)c->local_port << 16 | c->remote_port;

	return hash_traced(ports ^ bpei_load64(c->remote) * 31 ^ bpei_load64(c->remote + 8));
}

static bool is_same_traced(const struct traced_connection *a, const struct traced_connection *b)
{
	return a->local_port == b->local_port && a->remote_port == b->remote_port &&
	       a->ip_version == b->ip_version && !memcmp(a->local, b->local, 16) &&
	       !memcmp(a->remote, b->remote, 16);
}

static void keep_traced_socket(struct bpei_trace *t, uint64_t address, int32_t pid)
{
	struct traced_socket *set = &t->sockets[hash_traced(address)];
	struct traced_socket *to = NULL;

	for (int k = 0; k < WAYS; k++)
		if (set[k].address == address)
			to = &set[k];
	for (int k = 0; k < WAYS && !to; k++)
		if (!set[k].address)
			to = &set[k];
	if (!to)
		to = &set[t->turn++ % WAYS];
	*to = (struct traced_socket){ address, pid };
}

/* Takes the process of a socket out of the table.  Returns 0 if the socket is not there. */
static int32_t take_traced_socket(struct bpei_trace *t, uint64_t address)
{
	struct traced_socket *set = &t->sockets[hash_traced(address)];

	for (int k = 0; k < WAYS; k++) {
		if (set[k].address != address)
			continue;
		set[k].address = 0;
		return set[k].pid;
	}
	return 0;
}

static void keep_connection(struct bpei_trace *t, const struct traced_connection *c)
{
	struct traced_connection *set = &t->connections[hash_traced_ends(c)];
	struct traced_connection *to = NULL;

	for (int k = 0; k < WAYS; k++)
		if (is_same_traced(&set[k], c))
			to = &set[k];
	for (int k = 0; k < WAYS && !to; k++)
		if (!set[k].local_port)
			to = &set[k];
	if (!to)
		to = &set[t->turn++ % WAYS];
	*to = *c;
}

static const struct traced_name *find_traced_name(const struct bpei_trace *t, int32_t pid)
{
	const struct traced_name *set = &t->names[hash_traced((uint32_t)pid)];

	for (int k = 0; k < WAYS; k++)
		if (set[k].pid == pid)
			return &set[k];
	return NULL;
}

void bpei_trace_name(struct bpei_trace *t, int32_t pid, const char *comm)
{
	struct traced_name *set = &t->names[hash_traced((uint32_t)pid)];
	struct traced_name *to = NULL;

	for (int k = 0; k < WAYS; k++)
		if (set[k].pid == pid)
			to = &set[k];
	for (int k = 0; k < WAYS && !to; k++)
		if (!set[k].pid)
			to = &set[k];
	if (!to)
		to = &set[t->turn++ % WAYS];
	to->pid = pid;
	snprintf(to->comm, sizeof to->comm, "%s", comm);
}

/* ---- Records ---- */

/* Reads the ends of the socket.  Returns false for another protocol. */
static bool read_traced_ends(
	const struct bpei_trace_format *f, const uint8_t *raw, struct traced_connection *c)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	const uint16_t family = bpei_load16(raw + f->family);

	*c = (struct traced_connection){ .local_port = bpei_load16(raw + f->local_port),
		.remote_port = bpei_load16(raw + f->remote_port),
		.ip_version = 4 };
	if (raw[f->protocol] != PROTOCOL_TCP && bpei_load16(raw + f->protocol) != PROTOCOL_TCP)
		return false;
	const bool is_mapped =
		family == FAMILY_6 && !memcmp(raw + f->remote_6, mapped, sizeof mapped);

	if (family == FAMILY_6 && !is_mapped) {
		c->ip_version = 6;
		memcpy(c->local, raw + f->local_6, 16);
		memcpy(c->remote, raw + f->remote_6, 16);
		return true;
	}
	memcpy(c->local, raw + f->local_4, 4);
	memcpy(c->remote, raw + f->remote_4, 4);
	return family == FAMILY_4 || is_mapped;
}

/* Takes a change of a socket's state. */
static void take_change(struct bpei_trace *t, int32_t pid, const uint8_t *raw)
{
	const struct bpei_trace_format *const f = &t->format;
	const uint64_t socket = bpei_load64(raw + f->socket);
	const uint32_t before = bpei_load32(raw + f->before);
	const uint32_t after = bpei_load32(raw + f->after);
	const bool is_closing = after == FIN_WAIT_1 || after == LAST_ACK;
	struct traced_connection c;

	if (after == SYN_SENT) {
		keep_traced_socket(t, socket, pid);
		return;
	}
	if (before == SYN_SENT)
		pid = take_traced_socket(t, socket);
	else if (!is_closing)
		return;
	if (pid <= 0 || !read_traced_ends(f, raw, &c) || !c.local_port)
		return;
	const struct traced_connection *set = &t->connections[hash_traced_ends(&c)];

	c.pid = pid;
	for (int k = 0; k < WAYS && is_closing; k++)
		if (is_same_traced(&set[k], &c))
			return; /* who connected is known */
	keep_connection(t, &c);
}

/* Takes "pid, tid, name". */
static void take_name(struct bpei_trace *t, const uint8_t *record, size_t n)
{
	char comm[BPEI_TRACE_COMM + 1] = "";
	const size_t most = n - HEAD - 8;

	if (bpei_load32(record + HEAD) != bpei_load32(record + HEAD + 4))
		return; /* of a thread */
	memcpy(comm, record + HEAD + 8, most < BPEI_TRACE_COMM ? most : BPEI_TRACE_COMM);
	bpei_trace_name(t, (int32_t)bpei_load32(record + HEAD), comm);
}

/* Takes "pid, parent": the child has the parent's name. */
static void take_fork(struct bpei_trace *t, const uint8_t *record)
{
	const int32_t pid = (int32_t)bpei_load32(record + HEAD);
	const int32_t parent = (int32_t)bpei_load32(record + HEAD + 4);
	const struct traced_name *name = find_traced_name(t, parent);
	char comm[BPEI_TRACE_COMM + 1];

	if (pid == parent || !name)
		return;
	memcpy(comm, name->comm, sizeof comm);
	bpei_trace_name(t, pid, comm);
}

void bpei_trace_take(struct bpei_trace *t, const uint8_t *record, size_t n)
{
	const uint32_t type = n >= HEAD ? bpei_load32(record) : 0;

	if (type == TYPE_COMM && n > HEAD + 8)
		take_name(t, record, n);
	else if (type == TYPE_FORK && n >= HEAD + 8)
		take_fork(t, record);
	else if (type == TYPE_SAMPLE && n >= SAMPLE_RAW &&
		 bpei_load32(record + SAMPLE_RAW_BYTES) >= t->format.bytes &&
		 n - SAMPLE_RAW >= t->format.bytes)
		take_change(t, (int32_t)bpei_load32(record + SAMPLE_PID), record + SAMPLE_RAW);
}

bool bpei_trace_find(const struct bpei_trace *t, const struct bpei_trace_ends *ends,
	struct bpei_trace_owner *owner)
{
	struct traced_connection c = { .local_port = ends->local_port,
		.remote_port = ends->remote_port,
		.ip_version = ends->ip_version };
	const size_t bytes = ends->ip_version == 6 ? 16 : 4;

	memcpy(c.local, ends->local, bytes);
	memcpy(c.remote, ends->remote, bytes);
	const struct traced_connection *set = &t->connections[hash_traced_ends(&c)];

	for (int k = 0; k < WAYS; k++) {
		if (!is_same_traced(&set[k], &c))
			continue;
		const struct traced_name *name = find_traced_name(t, set[k].pid);

		*owner = (struct bpei_trace_owner){ .pid = set[k].pid };
		if (name)
			memcpy(owner->comm, name->comm, sizeof owner->comm);
		return true;
	}
	return false;
}

struct bpei_trace *bpei_trace_new(const struct bpei_trace_format *format)
{
	struct bpei_trace *t = calloc(1, sizeof *t);

	if (t)
		t->format = *format;
	return t;
}

void bpei_trace_free(struct bpei_trace *t)
{
	free(t);
}
