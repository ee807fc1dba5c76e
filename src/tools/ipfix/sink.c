/* SPDX-License-Identifier: MIT */
/* The sinks of IPFIX, NetFlow v9 and NetFlow v5: records to the encoder, messages to a transport.
 *
 * kept[0] of the books: sequence number of the next message, for a sender that starts anew. */
#include "sink.h"

#include "encoder.h"
#include "sink_settings.h"
#include "transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_A_S 1000000000ll

enum {
	ROOM_MESSAGES = 32, /* a record fills at most these (NetFlow v5 splits large counts) */
	FLUSH_MS = 200      /* a record waits no longer for others of its message */
};

struct sink_state {
	struct sink_settings settings;
	struct ipfix_encoder encoder;
	struct transport *transport;
	uint8_t *open;       /* the message in the encoder's hands; NULL: none */
	uint32_t open_flows; /* flows in the message */
	int64_t open_ns;     /* when the first flow came; 0: at the next work */
	int64_t templates_ns, options_ns;
	uint64_t ignored_packets, flows; /* of the latest counters */
	bool has_counts;
};

static struct sink_state *state_of(const struct export_sender *sender)
{
	return sender->state;
}

/* Returns CLOCK_REALTIME. */
static int64_t wall_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * NS_A_S + now.tv_nsec;
}

/* ---- Messages ---- */

/* Hands the open message to the transport. */
static void close_message(struct sink_state *s)
{
	struct ipfix_message m;

	if (!s->open)
		return;
	if (ipfix_finish(&s->encoder, wall_clock_ns(), &m))
		transport_put(s->transport, m.length, m.records, m.flows);
	s->open = NULL;
	s->open_flows = 0;
	s->open_ns = 0;
}

/* Begins a message.  Returns whether there was room. */
static bool begin_message(struct sink_state *s)
{
	s->open = transport_room(s->transport);
	if (s->open)
		ipfix_begin(&s->encoder, s->open, transport_limit(s->transport));
	return s->open;
}

/* Writes the due templates and options, behind the waiting messages. */
static void put_due(struct sink_state *s)
{
	close_message(s);
	while (ipfix_is_due(&s->encoder) && begin_message(s))
		close_message(s);
}

/* Gives the transport the templates for the start of a connection.  Returns 0 or -1. */
static int give_greeting(struct sink_state *s)
{
	uint8_t bytes[TRANSPORT_STREAM_BYTES];
	uint32_t room = transport_limit(s->transport);
	struct ipfix_message m;

	if (room > sizeof bytes)
		room = sizeof bytes;
	transport_greeting_clear(s->transport);
	while (ipfix_is_due(&s->encoder)) {
		ipfix_begin(&s->encoder, bytes, room);
		if (!ipfix_finish(&s->encoder, wall_clock_ns(), &m))
			return 0;
		if (transport_greeting_add(s->transport, bytes, m.length, m.records))
			return -1;
	}
	return 0;
}

/* Makes the options records due: our books. */
static void ask_options(struct export_sender *sender)
{
	struct sink_state *const s = state_of(sender);
	struct export_books *const b = sender->books;
	const struct ipfix_books books = {
		.messages = atomic_load_explicit(&b->messages, memory_order_relaxed),
		.records = atomic_load_explicit(&b->sent, memory_order_relaxed),
		.bytes = atomic_load_explicit(&b->bytes, memory_order_relaxed),
		.ignored_packets = s->ignored_packets,
		.not_sent_records = atomic_load_explicit(&b->ring_dropped, memory_order_relaxed) +
				    atomic_load_explicit(&b->failed, memory_order_relaxed) +
				    atomic_load_explicit(&b->unfit, memory_order_relaxed) +
				    atomic_load_explicit(&b->lost, memory_order_relaxed),
		.flows = s->flows,
	};

	if (s->has_counts && s->settings.options_s)
		ipfix_options_due(&s->encoder, &books);
}

/* ---- The contract ---- */

/* Checks the words of a target of a version. */
static int check_target(
	uint32_t version, const struct export_address *address, char *why, size_t room)
{
	static struct ipfix_encoder trial; /* large; the program checks on one thread */
	struct sink_settings settings;

	if (sink_settings_read(&settings, version, address, why, room))
		return -1;
	return ipfix_open(&trial, &settings.config, why, room);
}

static int check_ipfix(const struct export_address *address, char *why, size_t room)
{
	return check_target(IPFIX_IPFIX, address, why, room);
}

static int check_netflow9(const struct export_address *address, char *why, size_t room)
{
	return check_target(IPFIX_NETFLOW9, address, why, room);
}

static int check_netflow5(const struct export_address *address, char *why, size_t room)
{
	return check_target(IPFIX_NETFLOW5, address, why, room);
}

static int prepare_exporter(struct export_sender *sender)
{
	struct sink_state *const s = calloc(1, sizeof *s);
	uint32_t version = IPFIX_IPFIX;

	if (!strcmp(sender->address->scheme, "netflow9"))
		version = IPFIX_NETFLOW9;
	if (!strcmp(sender->address->scheme, "netflow5"))
		version = IPFIX_NETFLOW5;
	sender->state = s;
	if (!s) {
		snprintf(sender->why, sizeof sender->why, "no memory");
		return -1;
	}
	if (sink_settings_read(
		    &s->settings, version, sender->address, sender->why, sizeof sender->why))
		return -1;
	s->settings.config.is_live = sender->is_live;
	s->settings.config.started_ns = sender->started_ns;
	for (uint32_t k = 0; k < sender->target_count; k++)
		if (sender->targets[k].books == sender->books)
			s->settings.config.exporter = k + 1;
	s->transport = transport_make(&s->settings.transport, sender);
	return s->transport ? 0 : -1;
}

static int open_exporter(struct export_sender *sender)
{
	struct sink_state *const s = state_of(sender);
	const uint64_t sequence =
		atomic_load_explicit(&sender->books->kept[0], memory_order_relaxed);

	if (ipfix_open(&s->encoder, &s->settings.config, sender->why, sizeof sender->why))
		return -1;
	if (give_greeting(s)) {
		snprintf(sender->why, sizeof sender->why, "no memory for the templates");
		return -1;
	}
	if (s->settings.transport.kind == TRANSPORT_TLS && !s->settings.transport.verify)
		export_say(sender, "%s: verify=0: whoever answers gets the records",
			s->settings.transport.host);
	return transport_open(s->transport, (uint32_t)sequence);
}

static bool is_sink_ready(struct export_sender *sender)
{
	return transport_has_room(state_of(sender)->transport, ROOM_MESSAGES);
}

static void encode_record(struct export_sender *sender, const struct bpe_flow *flow)
{
	struct sink_state *const s = state_of(sender);

	for (;;) {
		if (!s->open && !begin_message(s)) {
			export_add(&sender->books->failed, 1);
			return;
		}
		const int added = ipfix_add(&s->encoder, flow);

		if (added > 0)
			s->open_flows++;
		if (added == IPFIX_UNFIT)
			export_add(&sender->books->unfit, 1);
		if (added != IPFIX_FULL)
			return;
		close_message(s);
	}
}

static void note_counts(struct export_sender *sender, const struct export_counts *counts)
{
	struct sink_state *const s = state_of(sender);
	uint64_t ignored = counts->stats.kernel_dropped + counts->stats.interface_dropped;

	for (uint32_t k = 0; k < BPE_DROP_COUNT; k++)
		if (k != BPE_DROP_DUPLICATE)
			ignored += counts->stats.dropped[k];
	s->ignored_packets = ignored;
	s->flows = counts->stats.flows_opened;
	s->has_counts = true;
}

/* Makes templates and options due in time. */
static void keep_times(struct export_sender *sender, int64_t now_ns)
{
	struct sink_state *const s = state_of(sender);
	const int64_t templates_ns = (int64_t)s->settings.templates_s * NS_A_S;

	if (!s->templates_ns) {
		s->templates_ns = now_ns;
		s->options_ns = now_ns;
	}
	if (s->settings.transport.kind == TRANSPORT_UDP &&
		now_ns - s->templates_ns >= templates_ns) {
		s->templates_ns = now_ns;
		ipfix_templates_due(&s->encoder);
	}
	if (now_ns - s->options_ns >= (int64_t)s->settings.options_s * NS_A_S) {
		s->options_ns = now_ns;
		ask_options(sender);
	}
	if (ipfix_is_due(&s->encoder) && is_sink_ready(sender))
		put_due(s);
}

static int do_work(struct export_sender *sender, int64_t now_ns, bool is_idle)
{
	struct sink_state *const s = state_of(sender);

	(void)is_idle;
	if (s->settings.config.version != IPFIX_NETFLOW5)
		keep_times(sender, now_ns);
	if (s->open_flows && !s->open_ns)
		s->open_ns = now_ns;
	if (s->open_flows && now_ns - s->open_ns >= FLUSH_MS * (NS_A_S / 1000))
		close_message(s);
	const int ms = transport_work(s->transport, now_ns);

	atomic_store_explicit(
		&sender->books->kept[0], transport_sequence(s->transport), memory_order_relaxed);
	return s->open_flows && ms > FLUSH_MS / 4 ? FLUSH_MS / 4 : ms;
}

static void finish_exporter(struct export_sender *sender, int64_t until_ns)
{
	struct sink_state *const s = state_of(sender);

	close_message(s);
	ask_options(sender);
	put_due(s);
	transport_finish(s->transport, until_ns);
	atomic_store_explicit(
		&sender->books->kept[0], transport_sequence(s->transport), memory_order_relaxed);
}

static void close_exporter(struct export_sender *sender)
{
	struct sink_state *const s = state_of(sender);

	if (!s)
		return;
	transport_close(s->transport);
	free(s);
	sender->state = NULL;
}

#define IPFIX_SINK(name, text, check_words)                                                        \
	{ .scheme = name,                                                                          \
		.usage = text,                                                                     \
		.check = check_words,                                                              \
		.prepare = prepare_exporter,                                                       \
		.open = open_exporter,                                                             \
		.is_ready = is_sink_ready,                                                         \
		.record = encode_record,                                                           \
		.counts = note_counts,                                                             \
		.work = do_work,                                                                   \
		.finish = finish_exporter,                                                         \
		.close = close_exporter,                                                           \
		.has_ip_bytes = true }

const struct export_sink ipfix_sink = IPFIX_SINK("ipfix",
	"ipfix://HOST[:4739][?transport=udp|tcp|tls&profile=...], or ipfix:FILE", check_ipfix);
const struct export_sink netflow9_sink =
	IPFIX_SINK("netflow9", "netflow9://HOST[:2055][?rate=N&mtu=BYTES]", check_netflow9);
const struct export_sink netflow5_sink =
	IPFIX_SINK("netflow5", "netflow5://HOST[:2055][?rate=N]", check_netflow5);
