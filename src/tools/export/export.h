/* SPDX-License-Identifier: MIT */
/* Senders: processes that carry records beyond the capture's process.
 *
 * Each target (--export, --metrics, --metrics-file, a table of --flows) has a sender process.  The
 * sender is forked before rights are given up, has no device, and runs as the unprivileged user.
 * The capture's output thread packs each record once (packed.h).  The thread copies the packed
 * record into the ring of each target, which is shared memory (ring.h).  A record without room is
 * dropped there and counted, so the output thread never waits for the network.  With a savefile
 * the output thread waits as long as the sender makes progress: a healthy collector gets every
 * record.
 *
 * A keeper process stands between the program and the sender.  The keeper starts the sender, and
 * starts another sender after the death of the first.  The books are in shared memory and survive
 * a sender.  Records count as lost if a sender dies that took and did not count them.
 *
 * The books of a target balance:
 *   offered = ring_dropped + taken + records in the ring
 *   taken   = sent + failed + unfit + lost + records in the sender's hands
 *
 * A sink says how records leave: a folder for each kind of target, listed in sinks.c. */
#ifndef EXPORT_EXPORT_H
#define EXPORT_EXPORT_H

#include "bpfengine.h"

#include <poll.h>
#include <stdatomic.h>

#define EXPORT_TARGETS_MOST 8
#define EXPORT_PARAMETERS_MOST 24
#define EXPORT_POLLED_MOST 16
#define EXPORT_KEPT 16
#define EXPORT_INTERFACES_MOST 64
#define EXPORT_WORKERS_MOST 64

/* ---- Targets as users give them ---- */

struct export_parameter {
	char name[64]; /* librdkafka has properties of 40 letters */
	char value[256];
};

/* "SCHEME://HOSTS/PATH?NAME=VALUE&NAME=VALUE", or "SCHEME:PATH?..." without hosts.  %41 stands for
 * "A" in a path or a value. */
struct export_address {
	char shown[256]; /* fit for a terminal, without the values of secrets */
	char scheme[16]; /* "ipfix" */
	char hosts[512]; /* "collector:4739", "[::1]:4739", "b1:9092,b2"; "": none */
	char path[1024]; /* without the slash behind the hosts: "topic"; "flows.parquet" */
	uint32_t count;  /* parameters */
	struct export_parameter parameters[EXPORT_PARAMETERS_MOST];
};

/* Reads a target.  Returns 0, or -1 with the reason and advice in why.  Pure. */
int export_address_read(struct export_address *address, const char *text, char *why, size_t room);
/* Returns the value of a parameter, or fallback if the user gave none. */
const char *export_parameter(
	const struct export_address *address, const char *name, const char *fallback);
/* Reads a whole number from least to most.  *number keeps its value if the user gave none.  Returns
 * 0, or -1 with the reason in why. */
int export_number(const struct export_address *address, const char *name, uint64_t least,
	uint64_t most, uint64_t *number, char *why, size_t room);
/* Returns 0, or -1 with the reason in why if a parameter is none of the names (NULL at the end). */
int export_parameters_check(
	const struct export_address *address, const char *const *names, char *why, size_t room);
/* Splits "host", "host:port", "[v6]:port" or "[v6]".  Returns 0, or -1 with the reason in why. */
int export_host_split(const char *text, uint16_t fallback, char host[256], uint16_t *port,
	char *why, size_t room);

/* ---- Books, in shared memory ---- */

struct export_books {
	/* w: the capture's output thread  r: any process */
	_Atomic uint64_t offered;      /* records that are for this target */
	_Atomic uint64_t ring_dropped; /* of these: no room in the ring */
	/* w: the sender  r: any process */
	_Atomic uint64_t taken; /* out of the ring */
	_Atomic uint64_t sent;  /* handed to the socket; Kafka: acknowledged; tables: in the file */
	_Atomic uint64_t failed;   /* given up: refused, unreachable, no room on the disk */
	_Atomic uint64_t unfit;    /* the format cannot say the record (IPv6 in NetFlow v5) */
	_Atomic uint64_t messages; /* messages, requests or row groups sent */
	_Atomic uint64_t bytes;    /* payload sent */
	_Atomic uint64_t connects; /* connections made */
	_Atomic uint64_t kept[EXPORT_KEPT]; /* the sink's own; survives a new start: sequences */
	_Atomic uint32_t is_connected;      /* 1: the target takes records just now */
	/* w: the keeper  r: any process */
	_Atomic uint64_t lost;   /* in the hands of senders that died */
	_Atomic uint32_t starts; /* senders started */
};

/* Adds to a counter that only this process writes. */
static inline void export_add(_Atomic uint64_t *counter, uint64_t n)
{
	const uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, before + n, memory_order_relaxed);
}

/* Counters of the run as of a moment.  Plain data: it crosses processes. */
struct export_counts {
	struct bpe_stats stats;
	struct bpe_written written; /* with has_written: savefiles of -w */
	uint32_t has_written;
	uint32_t interface_count, worker_count; /* elements that are filled */
	uint32_t is_final;                      /* 1: the run has ended */
	struct bpe_interface_stats interfaces[EXPORT_INTERFACES_MOST];
	struct bpe_worker_stats workers[EXPORT_WORKERS_MOST];
};

/* ---- Sinks ---- */

struct export_sink;

/* Another target of the run, for a sink that shows the books of all. */
struct export_target {
	const struct export_sink *sink;
	struct export_address address;
	struct export_books *books;
};

/* What a sender has.  The framework owns all but state. */
struct export_sender {
	const struct export_sink *sink;
	const struct export_address *address;
	struct export_books *books;
	void *state;                         /* of the sink, from prepare on */
	const struct export_target *targets; /* all targets of the run, this one included */
	uint32_t target_count;
	bool is_live;       /* packets come from an interface */
	int64_t started_ns; /* CLOCK_REALTIME at the start of the program */
	const char *source; /* the source's name: "en0" */
	/* Descriptors that the sink waits for.  The sink fills the array.  The sender polls the
	 * array beside the ring, and then calls work. */
	struct pollfd polled[EXPORT_POLLED_MOST];
	uint32_t polled_count;
	char why[256]; /* of a failure in prepare or open */
};

/* A kind of target.  All calls but check are in the sender, on its only thread. */
struct export_sink {
	const char *scheme; /* "ipfix" */
	const char *usage;  /* "ipfix://HOST[:4739][?transport=udp|tcp|tls&...]" */
	/* Checks a target's words.  Returns 0, or -1 with the reason and advice in why.  Pure; in
	 * the program, before anything is opened. */
	int (*check)(const struct export_address *address, char *why, size_t room);
	/* Makes the state, and opens files and folders while the program's first rights are still
	 * there.  Returns 0, or -1 with the reason in sender->why.  NULL: nothing to prepare. */
	int (*prepare)(struct export_sender *sender);
	/* Begins, once rights are given up: sockets, libraries' threads.  A target that is not
	 * reachable is no failure: work tries again.  Returns 0 or -1 as prepare. */
	int (*open)(struct export_sender *sender);
	/* Returns whether the sink takes a record now.  While it takes none, the ring fills. */
	bool (*is_ready)(struct export_sender *sender);
	/* Takes a record.  The sink counts it as sent, failed or unfit, now or later. */
	void (*record)(struct export_sender *sender, const struct bpe_flow *flow);
	/* Takes the counters of the run, about every second, and with is_final at the end.
	 * NULL: not wanted. */
	void (*counts)(struct export_sender *sender, const struct export_counts *counts);
	/* Sends, connects, accepts, times.  now_ns: CLOCK_MONOTONIC.  is_idle: no record waits.
	 * Returns after how many ms work wants to run again, if nothing happens before. */
	int (*work)(struct export_sender *sender, int64_t now_ns, bool is_idle);
	/* The user asks for a new file (SIGHUP).  NULL: the sink has no files. */
	void (*reopen)(struct export_sender *sender);
	/* The run has ended and the ring is empty: sends the rest until the time is over
	 * (CLOCK_MONOTONIC).  Counts as failed what cannot be sent. */
	void (*finish)(struct export_sender *sender, int64_t until_ns);
	void (*close)(struct export_sender *sender); /* frees the state; NULL state is allowed */
	bool without_flows; /* the target is of use in a run that keeps no flows */
	bool has_ip_bytes;  /* the target's counts are bytes of IP (options.flow_lengths) */
	uint32_t finish_s;  /* seconds that finish may take; 0: 10 */
};

/* Returns the sink of a scheme, or NULL (sinks.c). */
const struct export_sink *export_sink_find(const char *scheme);
/* Tells the user, by the program's notices.  A text that repeats the last one is not told again. */
void export_say(struct export_sender *sender, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
