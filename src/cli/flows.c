/* SPDX-License-Identifier: MIT */
/* --flows: each flow at its end as a JSON line.
 *
 * Workers call from their own threads; each has a buffer of its own, written out in whole lines under the stream's lock, so
 * lines never mix.  The first write error is kept (w: whoever meets it first, under the lock) and told at the end. */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER 65536u
#define LINE_MOST 2048u

struct buffer { size_t used; char text[BUFFER]; };

struct cli_flows {
	FILE *file;
	bool own;
	int error;
	struct buffer *buffers[BPE_MAX_WORKERS];
};

int cli_flows_open(struct cli_flows **flows, const char *path)
{
	struct cli_flows *f = calloc(1, sizeof *f);
	if (!f) return EXIT_ERROR;
	f->own = strcmp(path, "-") != 0;
	f->file = f->own ? fopen(path, "we") : stdout;
	if (!f->file) {
		fprintf(stderr, "bpfengine: cannot write flows to %s: %s\n", path, strerror(errno));
		free(f);
		return EXIT_ERROR;
	}
	*flows = f;
	return 0;
}

static void flush(struct cli_flows *f, struct buffer *b)
{
	flockfile(f->file);
	if (b->used && !f->error && fwrite(b->text, 1, b->used, f->file) != b->used) f->error = errno ? errno : EIO;
	funlockfile(f->file);
	b->used = 0;
}

static void flags_text(char to[9], uint8_t flags)	/* as tcpdump's letters */
{
	static const char letters[] = "FSRP.UEW";
	size_t n = 0;
	for (int i = 0; i < 8; i++)
		if (flags >> i & 1) to[n++] = letters[i];
	to[n] = 0;
}

static int64_t positive(int64_t v) { return v < 0 ? -v : v; }

/* Names come from programs, and may hold anything: what JSON cannot hold plainly becomes '?'. */
static size_t process(char *to, size_t room, const struct bpe_flow *f)
{
	char name[2][32];
	for (int k = 0; k < 2; k++) {
		const char *from = k ? f->effective_comm : f->comm;
		size_t i = 0;
		for (; i + 1 < sizeof name[k] && from[i]; i++) name[k][i] = from[i] >= 0x20 && from[i] < 0x7f && from[i] != '"' && from[i] != '\\' ? from[i] : '?';
		name[k][i] = 0;
	}
	int n = snprintf(to, room, ",\"pid\":%d,\"process\":\"%s\"", f->pid, name[0]);
	if (f->effective_pid > 0) n += snprintf(to + n, room - (size_t)n, ",\"effective_pid\":%d,\"effective_process\":\"%s\"", f->effective_pid, name[1]);
	return (size_t)n;
}

/* Two numbers, where one of them is not 0. */
static size_t pair(char *to, size_t room, const char *name, const uint32_t v[2])
{
	return v[0] | v[1] ? (size_t)snprintf(to, room, ",\"%s\":[%" PRIu32 ",%" PRIu32 "]", name, v[0], v[1]) : 0;
}

static size_t health(char *to, size_t room, const struct bpe_flow *w)
{
	const struct { const char *name; const uint32_t *v; } counts[] = { { "retransmissions", w->retransmissions }, { "fast_retransmissions", w->fast_retransmissions },
		{ "spurious_retransmissions", w->spurious_retransmissions }, { "out_of_order", w->out_of_order }, { "repeated_acks", w->repeated_acks },
		{ "zero_windows", w->zero_windows }, { "lost_segments", w->lost_segments }, { "unseen_acks", w->unseen_acks }, { "keep_alives", w->keep_alives } };
	static const char *const spans[2] = { "client_rtt", "server_rtt" };
	size_t n = 0;
	if (w->history[0]) n += (size_t)snprintf(to, room, ",\"history\":\"%s\"", w->history);
	for (int k = 0; k < 2; k++)
		if (w->handshake_ns[k] >= 0) n += (size_t)snprintf(to + n, room - n, ",\"%s\":%" PRId64 ".%09" PRId64, spans[k], w->handshake_ns[k] / 1000000000, w->handshake_ns[k] % 1000000000);
	n += pair(to + n, room - n, "mss", (const uint32_t[2]){ w->mss[0], w->mss[1] });
	if (w->window_scale[0] >= 0 || w->window_scale[1] >= 0) n += (size_t)snprintf(to + n, room - n, ",\"window_scale\":[%d,%d]", w->window_scale[0], w->window_scale[1]);
	for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) n += pair(to + n, room - n, counts[k].name, counts[k].v);
	return n;
}

void cli_flows_write(struct cli_flows *f, const struct bpe_flow *w, uint32_t worker)
{
	struct buffer *b = f->buffers[worker];
	if (!b) b = f->buffers[worker] = calloc(1, sizeof *b);
	if (!b) {
		f->error = ENOMEM;
		return;
	}
	if (BUFFER - b->used < LINE_MOST) flush(f, b);
	char source[48], target[48], proto[16], flags[2][9], vlan[32] = "";
	flags_text(flags[0], w->tcp_flags[0]);
	flags_text(flags[1], w->tcp_flags[1]);
	if (w->vlan[1]) snprintf(vlan, sizeof vlan, "\"vlan\":[%u,%u],", w->vlan[0], w->vlan[1]);
	else if (w->vlan[0]) snprintf(vlan, sizeof vlan, "\"vlan\":[%u],", w->vlan[0]);
	int64_t duration = w->last_ns - w->first_ns;
	int n = snprintf(b->text + b->used, BUFFER - b->used,
		"{\"schema\":\"bpfengine.flow/1\",\"src\":\"%s\",\"sport\":%u,\"dst\":\"%s\",\"dport\":%u,\"proto\":\"%s\",\"ip_proto\":%u,\"ip\":%u,%s"
		"\"first\":%s%" PRId64 ".%09" PRId64 ",\"duration\":%" PRId64 ".%09" PRId64 ",\"packets\":[%" PRIu64 ",%" PRIu64 "],\"wire_bytes\":[%" PRIu64 ",%" PRIu64
		"],\"captured_bytes\":[%" PRIu64 ",%" PRIu64 "]",
		cli_address(source, sizeof source, w->addr[0], w->ip_version), w->port[0], cli_address(target, sizeof target, w->addr[1], w->ip_version),
		w->port[1], cli_protocol(proto, sizeof proto, w->ip_proto, w->ip_version), w->ip_proto, w->ip_version, vlan,
		w->first_ns < 0 ? "-" : "", positive(w->first_ns / 1000000000), positive(w->first_ns % 1000000000), duration / 1000000000, duration % 1000000000,
		w->packets[0], w->packets[1], w->wire_bytes[0], w->wire_bytes[1], w->captured_bytes[0], w->captured_bytes[1]);
	b->used += (size_t)n;
	if (w->tcp_state)
		b->used += (size_t)snprintf(b->text + b->used, BUFFER - b->used, ",\"tcp_state\":\"%s\",\"tcp_flags\":[\"%s\",\"%s\"],\"midstream\":%s",
			cli_tcp_state(w->tcp_state), flags[0], flags[1], w->flags & BPE_FLOW_MIDSTREAM ? "true" : "false");
	if (w->tcp_state) b->used += health(b->text + b->used, BUFFER - b->used, w);
	char community[BPE_COMMUNITY_ID_BYTES];
	b->used += (size_t)snprintf(b->text + b->used, BUFFER - b->used, ",\"conn_state\":\"%s\"", bpe_flow_conn_state(w));
	if (bpe_flow_community_id(w, 0, community)) b->used += (size_t)snprintf(b->text + b->used, BUFFER - b->used, ",\"community_id\":\"%s\"", community);
	if (w->flags & BPE_FLOW_CONTINUED) b->used += (size_t)snprintf(b->text + b->used, BUFFER - b->used, ",\"continued\":true");
	if (w->flags & BPE_FLOW_CUT) b->used += (size_t)snprintf(b->text + b->used, BUFFER - b->used, ",\"cut\":true");
	if (w->pid > 0) b->used += process(b->text + b->used, BUFFER - b->used, w);
	b->used += (size_t)snprintf(b->text + b->used, BUFFER - b->used, ",\"end\":\"%s\",\"hash\":%" PRIu32 ",\"worker\":%u}\n",
		cli_flow_end(w->end), w->hash, worker);
}

int cli_flows_close(struct cli_flows *f)
{
	for (int w = 0; w < BPE_MAX_WORKERS; w++) {
		if (f->buffers[w]) flush(f, f->buffers[w]);
		free(f->buffers[w]);
	}
	errno = 0;
	if ((f->own ? fclose(f->file) : fflush(f->file)) && !f->error) f->error = errno ? errno : EIO;
	int error = f->error;
	free(f);
	return error;
}
