/* SPDX-License-Identifier: MIT */
/* bpfengine: a packet capture engine.  This header is the whole public contract.
 *
 * The engine (bpe_engine_*) runs threads of its own.  They call the program's handlers with batches
 * of parsed packets, and with flows that end.  Print each flow of ten seconds:
 *
 *     static void print_flow(void *user, const struct bpe_flow *flow, uint32_t worker)
 *     {
 *             char line[BPE_FORMAT_BYTES];
 *             if (bpe_flow_format(flow, BPE_FORMAT_JSON, line, sizeof line) > 0)
 *                     fputs(line, stdout);
 *     }
 *     int main(void)
 *     {
 *             struct bpe_options options;
 *             struct bpe_engine *engine;
 *             struct bpe_error error;
 *             bpe_options_init(&options);
 *             options.interface_name = "en0";
 *             options.on_flow = print_flow;
 *             if (bpe_engine_open(&options, &engine, &error) < 0)
 *                     return puts(error.text), 1;
 *             bpe_engine_run(engine, 10000000000, &error);
 *             bpe_engine_close(engine);
 *     }
 *
 * The capture (bpe_capture_*) has no threads.  The program asks for the next batch, for example in
 * an event loop.  Print the length of each TCP packet in a savefile:
 *
 *     int main(void)
 *     {
 *             struct bpe_options options;
 *             struct bpe_capture *capture;
 *             struct bpe_batch batch;
 *             struct bpe_error error;
 *             int n;
 *             bpe_options_init(&options);
 *             options.file = "trace.pcap";
 *             options.filter_expression = "tcp";
 *             if (bpe_capture_open(&options, &capture, &error) < 0)
 *                     return puts(error.text), 1;
 *             while ((n = bpe_capture_next(capture, &batch, -1, &error)) > 0)
 *                     for (int i = 0; i < n; i++)
 *                             printf("%u bytes\n", (unsigned)batch.wirelen[i]);
 *             bpe_capture_close(capture);
 *     }
 *
 * Views.  Packets arrive parsed, up to BPE_BATCH at a time, in columns (a structure of arrays).
 * A batch or flow given to a handler is valid until the handler returns.  A batch given by
 * bpe_capture_next is valid until the next call on the same capture.
 *
 * Errors.  A function that can fail returns an int: 0 or a count on success, a negative enum
 * bpe_status on failure.  On failure a function with a struct bpe_error parameter fills the
 * structure, unless the pointer is NULL.  All other outputs stay as they were.  Other pointers are
 * not NULL, unless the comment says what NULL means.
 *
 * Threads.  Only one thread at a time may call the functions of one engine or capture.  Functions
 * marked "Any thread" are excepted.  Different engines and captures are independent.  The library
 * never prints, never exits and installs no signal handler.
 *
 * Handlers.  A handler returns normally.  A handler of an engine must not be left by longjmp, for
 * the jump would go to another thread's stack.  A C++ exception must not leave the handler, either:
 * nothing on the engine's thread catches the exception, std::terminate is called, and the program
 * ends.  After a handler of a capture was left, the capture can only be closed (BPE_E_STATE).  A
 * handler ends the run by bpe_engine_stop, and finds its engine by bpe_engine_current.
 *
 * Units.  Packet times are nanoseconds since 1970-01-01 UTC.  Durations are nanoseconds; their
 * names end in _ns.  Lengths are bytes.  Fields of several bytes are in host byte order, unless
 * the comment says network byte order.
 *
 * How structures grow.  A program's header may be older or newer than the library of the same
 * soversion: the program runs, unless the program calls a function that the library lacks.  Members
 * are only ever added at the end of a structure.  The comment of a structure names the class:
 *   Frozen.  The structure never changes.
 *   Sized.  The structure is the program's, and the library is told the size: by struct_size, which
 *   the init function sets, or by a function below, which passes sizeof.  The library writes the
 *   members that both have, and zeroes the rest.  In what the library reads, as options and
 *   packets, members that the program lacks have their defaults.  Members that the library lacks
 *   must be 0, else the status is BPE_E_UNSUPPORTED.
 *   View.  The structure is the library's, and its member size tells what is filled.  BPE_HAS asks
 *   for a member.  bpe_flow_copy copies a record; an assignment may read past the end.
 *   Opaque.  Only the name is declared, as of bpe_engine.
 * Enumerations grow as well, and a program may meet numbers that its header does not name.  Arrays
 * by an enumeration have room for more elements than the enumeration has numbers.
 */
#ifndef BPFENGINE_H
#define BPFENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPE_VERSION_MAJOR 0
#define BPE_VERSION_MINOR 1
#define BPE_VERSION_PATCH 0
#define BPE_VERSION "0.1.0"

#if defined(__GNUC__) || defined(__clang__)
#define BPE_API __attribute__((visibility("default")))
#else
#define BPE_API
#endif

/* A function that is compiled into the program, where the sizes of the program's structures are
 * known ("How structures grow").  Static: parts of a program may be made with different headers. */
#define BPE_INLINE static inline

#ifdef __cplusplus
extern "C" {
#endif

struct bpe_options;
struct bpe_packet;
struct bpe_batch;
struct bpe_flow;
struct bpe_insn;
struct bpe_interface;
struct bpe_meta;
struct bpe_protocol;
struct bpe_filter_options;
struct bpe_flow_totals;
struct bpe_stat;
struct bpe_stats;
struct bpe_worker_stats;
struct bpe_interface_stats;
struct bpe_source;
struct bpe_write_interface;
struct bpe_writer_options;
struct bpe_written;
struct bpe_event;
struct bpe_crypto;
struct bpe_owner_question;
struct bpe_owner_answer;

#define BPE_BATCH 64           /* most packets in a batch */
#define BPE_MAX_WORKERS 64     /* most worker threads */
#define BPE_MAX_SNAPLEN 262144 /* most bytes kept of a packet, as tcpdump's default */
/* Returns the library's version, "MAJOR.MINOR.PATCH".  Any thread. */
BPE_API const char *bpe_version(void);
/* Returns a line with the kernels and devices that the library was built with.  Any thread. */
BPE_API const char *bpe_build_info(void);
/* Returns the size of a public structure in the library, as of "bpe_batch"; 0 for an unknown
 * name.  Language bindings check themselves by the size.  Any thread. */
BPE_API size_t bpe_struct_size(const char *name);
/* True if *view, a bpe_flow, bpe_batch or bpe_written_file, has the member; false for a member that
 * is newer than the library. */
#define BPE_HAS(view, member)                                                                      \
	(offsetof(__typeof__(*(view)), member) + sizeof((view)->member) <= (view)->size)
/* ---- Errors ---- */
enum bpe_status {
	BPE_OK = 0,
	BPE_E_ARGUMENT = -1,     /* an argument or option is wrong */
	BPE_E_MEMORY = -2,       /* no memory */
	BPE_E_RIGHTS = -3,       /* the system denies access; the text says how to get the right */
	BPE_E_ABSENT = -4,       /* no interface, file or device of this name */
	BPE_E_BUSY = -5,         /* another program holds the device */
	BPE_E_IO = -6,           /* a read or write of the system failed */
	BPE_E_FORMAT = -7,       /* not a savefile, or a damaged savefile */
	BPE_E_TORN = -8,         /* the savefile ends inside a record; all before were delivered */
	BPE_E_GONE = -9,         /* the interface went away during the capture */
	BPE_E_UNSUPPORTED = -10, /* this system or build cannot do this */
	BPE_E_STATE = -11,       /* the call does not fit the present state of the engine */
	BPE_E_END = -12          /* no more packets or records; no error; bpe_capture_next,
				    bpe_engine_next_record */
};

/* Why a call failed.  Frozen. */
struct bpe_error {
	int status;     /* enum bpe_status */
	int sys_errno;  /* errno of the failed system call, or 0 */
	char step[32];  /* the step that failed, for example "open" or "PACKET_RX_RING" */
	char text[256]; /* a sentence for a person, with advice about the next step */
};
/* Returns a short text for a status, for example "permission denied".  Never NULL.  Any thread. */
BPE_API const char *bpe_status_text(int status);
/* ---- Engine: threads of the library call the handlers ---- */
struct bpe_engine;
/* Opens the source that the options name.  All rights are used here, except when wait_interface
 * opens an interface again.  Nothing is read yet.  The options are copied; strings and handlers
 * in the options are borrowed until bpe_engine_close.  Options without effect are told or refused
 * (struct bpe_options). */
BPE_API int bpe_engine_open(
	const struct bpe_options *options, struct bpe_engine **engine, struct bpe_error *error);
/* Starts the threads and returns.  May be called once in an engine's life. */
BPE_API int bpe_engine_start(struct bpe_engine *engine, struct bpe_error *error);
/* Pushes n packets into an engine with options.push.  The packets are copied before the return.
 * Waits for room in the buffer at most timeout_ns; 0 does not wait, below 0 waits without limit.
 * Before bpe_engine_start the call never waits.  Packets go the same way as those of any source, in
 * the order of the calls, and each packet taken is read: also if the run is to stop.  After
 * max_packets, and if a worker stands still, packets that are left count as kernel_dropped.
 * Returns how many were taken: n, unless the time passed or the run ended meanwhile.  Returns
 * BPE_E_ARGUMENT if a packet is wrong, with none taken.  Returns BPE_E_STATE after
 * bpe_engine_push_end or the end of the run, from a handler of this engine, and for another source;
 * also before bpe_engine_start if the buffer is full.  Any thread, but none may call after
 * bpe_engine_close: calls of several threads take turns. */
BPE_INLINE int bpe_engine_push(struct bpe_engine *engine, const struct bpe_packet *packets,
	size_t n, int64_t timeout_ns, struct bpe_error *error);
/* Says that no more packets will be pushed: the run ends when all are read, as at the end of a
 * savefile.  Returns BPE_OK, or BPE_E_STATE if this was said before, if the run is over, or for
 * another source.  Any thread, handlers included. */
BPE_API int bpe_engine_push_end(struct bpe_engine *engine, struct bpe_error *error);
/* Waits until the run has ended: at the end of the source, after max_packets, by bpe_engine_stop,
 * or on an error.  timeout_ns limits the wait; below 0 there is no limit.  Returns 1 if the run
 * has ended, or 0 if the time passed.  Returns BPE_E_STATE at once if a handler of this engine
 * waits, for the run ends after its handlers.  Any thread. */
BPE_API int bpe_engine_wait(struct bpe_engine *engine, int64_t timeout_ns);
/* Asks the run to end and returns at once.  Reading ceases, packets already read are delivered,
 * and live flows are handed over.  Any thread, and signal handlers. */
BPE_API void bpe_engine_stop(struct bpe_engine *engine);
/* Returns the engine that calls a handler on this thread, and NULL outside of handlers.  A handler
 * that several engines share finds the right engine, and may stop the engine.  The handler
 * on_notice runs before the engine exists while the source opens, and gets NULL then.  Any thread.
 */
BPE_API struct bpe_engine *bpe_engine_current(void);
/* Starts the engine, waits at most duration_ns (0 or less: no limit), stops the engine and waits
 * for the end.  Returns the same status as bpe_engine_result. */
BPE_API int bpe_engine_run(struct bpe_engine *engine, int64_t duration_ns, struct bpe_error *error);
/* Returns how the run ended: BPE_OK after the end of the source, max_packets or a stop, else the
 * error that cut the run short.  Returns BPE_E_STATE before the end. */
BPE_API int bpe_engine_result(struct bpe_engine *engine, struct bpe_error *error);
/* Stops the run, waits for the threads and frees the engine.  The call waits for a handler that
 * is at work.  NULL is allowed.  From a handler of this engine the call stops the run, gives a
 * notice and returns; the engine lives on, and another thread closes the engine. */
BPE_API void bpe_engine_close(struct bpe_engine *engine);
/* Replaces the filter by a program of length instructions (NULL, 0: no filter).
 * After the return, every packet taken from the source has passed the new filter.  Packets taken
 * earlier may still be on their way through the workers.  No packet is lost, except on NetBSD,
 * where the kernel empties the buffers; a notice reports the loss.  On failure the old filter
 * holds.  If the system failed half-way, the new filter holds and runs in the library.  Waits for
 * the reader, at most as long as a handler on the reader's thread takes.  Returns BPE_E_ARGUMENT
 * for a bad program and BPE_E_STATE if the run has ended.  Any thread, handlers included. */
BPE_API int bpe_engine_set_filter(struct bpe_engine *engine, const struct bpe_insn *filter,
	uint32_t length, struct bpe_error *error);
/* Replaces the filter by an expression, compiled with the filter_through of the options.  Behaves
 * as bpe_engine_set_filter; BPE_E_ARGUMENT reports a wrong expression.  Any thread, handlers
 * included. */
BPE_API int bpe_engine_set_expression(
	struct bpe_engine *engine, const char *expression, struct bpe_error *error);
/* Fills *stats with every counter.  May be called at any time between open and close; no thread
 * stops for the call.  Any thread. */
BPE_INLINE void bpe_engine_stats(struct bpe_engine *engine, struct bpe_stats *stats);
/* Fills *stats with the share of worker w.  With 0 workers, number 0 is the reading
 * thread.  Returns BPE_E_ARGUMENT past the last worker.  Any thread. */
BPE_INLINE int bpe_engine_worker_stats(
	struct bpe_engine *engine, uint32_t w, struct bpe_worker_stats *stats);
/* Fills list with the numbers of each source (options.sources, "any" of the BSDs), or of the only
 * source.  Returns how many there are, which may be more than max.  Sources keep their places; new
 * interfaces of "any" come last.  Any thread; exact after the run. */
BPE_INLINE size_t bpe_engine_interfaces(
	struct bpe_engine *engine, struct bpe_interface_stats *list, size_t max);
/* Fills at most max lines of the protocol table, most packets first.  Returns the number of all
 * lines.  Any thread. */
BPE_INLINE size_t bpe_engine_protocols(
	struct bpe_engine *engine, struct bpe_protocol *protocols, size_t max);
/* Called with a view of a flow that worker number `worker` kept.  flow is NULL in the cases that
 * options.on_record and bpe_engine_dump_flows describe. */
typedef void (*bpe_flow_fn)(void *user, const struct bpe_flow *flow, uint32_t worker);

/* The order of flows: by bytes on the wire or by packets, of both ends together. */
enum bpe_order { BPE_ORDER_BYTES = 0, BPE_ORDER_PACKETS };

/* Totals of bpe_engine_largest_flows.  Sized. */
struct bpe_flow_totals {
	int64_t packet_ns; /* time of the latest packet read when the question began; 0: none */
	uint64_t alive;    /* flows that the workers looked at */
	uint64_t recent;   /* flows of these with a packet at since_ns or later */
};

/* Copies the n largest live flows into flows, largest first, and returns their number.
 * order: enum bpe_order.  since_ns: flows with an older last packet are left out (INT64_MIN: none
 * are).  *totals may be NULL.  May be called at any time between open and close.  After the end
 * of the run the answer is about the flows that were alive at the end.
 * Each worker goes through its own table between batches: 256 entries after each batch of up to 64
 * packets, 16,384 at a time while no packets wait.  A table of a million flows takes about 4,300
 * batches of a busy worker, or about 10 ms of an idle worker.  The caller waits for the workers,
 * and for a handler that is at work.
 * Each record is whole and shows the flow at the moment when the worker looked at the entry.  A
 * flow that ended before is missing.  A flow that opened meanwhile may be present.  A flow that
 * ended and opened again may be present twice.  Questions are answered in order.
 * Returns BPE_E_ARGUMENT for an unknown order; BPE_E_MEMORY without memory for n records of each
 * worker; BPE_E_STATE if a handler of this engine asks.  Any thread but the engine's own. */
BPE_INLINE int bpe_engine_largest_flows(struct bpe_engine *engine, uint32_t order, int64_t since_ns,
	struct bpe_flow *flows, size_t n, struct bpe_flow_totals *totals, struct bpe_error *error);
/* Copies the n largest live flows by bytes, as bpe_engine_largest_flows does for all times.  Any
 * thread but the engine's own. */
BPE_INLINE int bpe_engine_top_flows(struct bpe_engine *engine, struct bpe_flow *flows, size_t n);
/* Hands over every live flow once (BPE_END_DUMPED) while the run goes on, and returns at once.
 * Each worker hands over the flows of its own table, a few after each batch and more while idle.
 * Flows that open or end meanwhile may be among them.  fn runs on the workers' threads with user.
 * fn is called with flow NULL when a worker has finished, at the latest when the run ends.  With
 * fn NULL the records go to options.on_record through the rings; they take at most half of a
 * ring, so that no record is dropped for them.
 * Returns 0; BPE_E_BUSY while an earlier dump is at work; BPE_E_STATE if nothing runs or no flows
 * are kept; BPE_E_ARGUMENT if fn and options.on_record are NULL.  Any thread, handlers included. */
BPE_API int bpe_engine_dump_flows(struct bpe_engine *engine, bpe_flow_fn fn, void *user);
/* Returns a descriptor for poll, select, kqueue or epoll, or -1 without options.pull_records.  The
 * descriptor is readable while a record waits, and once the run has ended.  The program never
 * reads from the descriptor.  Any thread. */
BPE_API int bpe_engine_records_fd(const struct bpe_engine *engine);
/* Takes the next record of options.pull_records.  The record is what on_record would get, and is
 * valid until the next call.  Does not wait.  Returns 1 with *flow set; 0 if no record waits;
 * BPE_E_END once the run has ended and all records were taken; BPE_E_STATE without pull_records,
 * or before bpe_engine_start.  After 0 the descriptor tells of the next record.
 * The end of a run may wait for the program to take records, without limit with BPE_RECORD_WAIT:
 * take until BPE_E_END, and call bpe_engine_wait only then.  bpe_engine_run is refused.
 * bpe_engine_close discards what was not taken.  Any thread, but one at a time. */
BPE_API int bpe_engine_next_record(
	struct bpe_engine *engine, const struct bpe_flow **flow, struct bpe_error *error);
/* Return a description of the source, for example "savefile x.pcap (pcap, microseconds,
 * little-endian)", and the link type name of its first interface.  Valid until bpe_engine_close. */
BPE_API const char *bpe_engine_source(const struct bpe_engine *engine);
BPE_API const char *bpe_engine_link_type(const struct bpe_engine *engine);
/* ---- Capture: no threads ---- */
struct bpe_capture;
/* Opens the source that the options name.  Strings and handlers in the options are borrowed until
 * bpe_capture_close.  Options without effect are told or refused (struct bpe_options).  Handlers
 * run inside calls of the capture; until they return, and after a handler has left by longjmp, all
 * functions that can fail return BPE_E_STATE. */
BPE_API int bpe_capture_open(
	const struct bpe_options *options, struct bpe_capture **capture, struct bpe_error *error);
/* Fills *batch with the next packets, valid until the next call on this capture.  timeout_ns: 0
 * does not wait, below 0 waits without limit.  Returns the number of packets, 0 if no packet came
 * in time, BPE_E_END at the end of a savefile, or another status on failure.
 * With options.flow_table the packets are counted on their flows before the return, and on_flow
 * gets the flows that end.  On a live source flows also age by the clock while no packets come, so
 * an event loop calls now and then without packets, too.  All flows are handed over before an end
 * or a failure is returned. */
BPE_INLINE int bpe_capture_next(struct bpe_capture *capture, struct bpe_batch *batch,
	int64_t timeout_ns, struct bpe_error *error);
/* Pushes n packets into a capture with options.push, as bpe_engine_push with timeout_ns 0.  If
 * fewer are taken the buffer is full: call bpe_capture_next until 0 is returned, then push the
 * others. bpe_capture_next does not wait for pushed packets, whatever the time-out. */
BPE_INLINE int bpe_capture_push(struct bpe_capture *capture, const struct bpe_packet *packets,
	size_t n, struct bpe_error *error);
/* Says that no more packets will be pushed, as bpe_engine_push_end: bpe_capture_next returns
 * BPE_E_END when all are read. */
BPE_API int bpe_capture_push_end(struct bpe_capture *capture, struct bpe_error *error);
/* Returns a descriptor for poll, select, kqueue or epoll, or -1 if the source has none.  The
 * descriptor is readable when bpe_capture_next may have packets.  Packets that were already read
 * do not make the descriptor readable: call bpe_capture_next with timeout_ns 0 until 0 is
 * returned, then wait.  Wait either by this descriptor or by bpe_capture_next with a time-out.
 * On macOS the removal of any knote or poll(2) on a BPF device silences all other knotes of the
 * descriptor.  Therefore, after this call, bpe_capture_next registers none and looks every 10 ms
 * while waiting, so that the program's own knote lives on.  On macOS wait by a knote, not by
 * poll. */
BPE_API int bpe_capture_fd(const struct bpe_capture *capture);
/* Replaces the filter by a copy of a program (NULL, 0: no filter).  After the return no packet is
 * given that the new filter refuses.  No packet is lost, except on NetBSD, where the kernel
 * empties the buffers; a notice reports the loss. */
BPE_API int bpe_capture_set_filter(struct bpe_capture *capture, const struct bpe_insn *filter,
	uint32_t length, struct bpe_error *error);
/* Replaces the filter by an expression, compiled with the filter_through of the options.  Returns
 * the errors of bpe_filter_compile. */
BPE_API int bpe_capture_set_expression(
	struct bpe_capture *capture, const char *expression, struct bpe_error *error);
/* Copies the n largest live flows of options.flow_table; as bpe_engine_largest_flows, but at once.
 * Returns BPE_E_STATE without a flow table. */
BPE_INLINE int bpe_capture_largest_flows(struct bpe_capture *capture, uint32_t order,
	int64_t since_ns, struct bpe_flow *flows, size_t n, struct bpe_flow_totals *totals,
	struct bpe_error *error);
/* Ends every live flow and hands each over to on_flow (BPE_END_STOP; BPE_END_IDLE or
 * BPE_END_CLOSED where due).  Later packets open flows anew.  Returns the number of flows; 0 after
 * the end of the source, where bpe_capture_next has done the same; BPE_E_STATE without a flow
 * table. */
BPE_API int bpe_capture_end_flows(struct bpe_capture *capture, struct bpe_error *error);
/* Fills *stats with the counters, as bpe_engine_stats.  Worker members are 0, and without
 * options.flow_table flow members. */
BPE_INLINE void bpe_capture_stats(struct bpe_capture *capture, struct bpe_stats *stats);
/* Return what bpe_engine_source and bpe_engine_link_type return, until bpe_capture_close. */
BPE_API const char *bpe_capture_source(const struct bpe_capture *capture);
BPE_API const char *bpe_capture_link_type(const struct bpe_capture *capture);
/* Makes a waiting bpe_capture_next return 0.  Any thread, and signal handlers. */
BPE_API void bpe_capture_wake(struct bpe_capture *capture);
/* Closes the source and frees the capture.  Live flows are not handed over.  NULL is allowed. */
BPE_API void bpe_capture_close(struct bpe_capture *capture);
/* ---- Options ---- */
/* Called with each batch, on a worker's thread; with 0 workers, on the reading thread.  The batch
 * is a view, valid until the return. */
typedef void (*bpe_batch_fn)(void *user, const struct bpe_batch *batch);
/* Called with a sentence about a refusal or an event that is no error.  Runs on the thread that
 * opens the source, or on the reading thread.  The text is valid until the return. */
typedef void (*bpe_notice_fn)(void *user, const char *text);
/* event is a view, good until the handler returns; NULL: no event waits. */
typedef void (*bpe_event_fn)(void *user, const struct bpe_event *event);
/* Answers n questions, so that answer k is to question k; answers are all BPE_OWNER_UNKNOWN before.
 * Returns BPE_OK, or a negative status after which the engine asks no more. */
typedef int (*bpe_owner_fn)(void *user, const struct bpe_owner_question *questions,
	struct bpe_owner_answer *answers, size_t n);

/* An instruction of classic BPF (bpf(4)).  The last instructions of a program return the number
 * of bytes to keep; 0 refuses the packet.  Frozen. */
struct bpe_insn {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};
#define BPE_MAX_INSNS 512 /* most instructions that a kernel takes (BPF_MAXINSNS) */

/* Packets to capture: all, those that this host receives, or those that this host sends. */
enum bpe_direction {
	BPE_DIRECTION_BOTH = 0,
	BPE_DIRECTION_UNKNOWN = BPE_DIRECTION_BOTH, /* of a pushed packet */
	BPE_DIRECTION_IN,
	BPE_DIRECTION_OUT
};

/* How a BPF device is read. */
enum bpe_read_mode {
	BPE_READ_AUTO = 0,   /* wakes at once on an idle link, paces the reads on a busy link */
	BPE_READ_THROUGHPUT, /* reads of whole buffers, or of 512 KiB, at the latest every 50 ms */
	BPE_READ_LATENCY,    /* BIOCIMMEDIATE: wakes for each packet */
	BPE_READ_PACED       /* reads every read_interval_ns */
};

/* A full ring of a worker stops reading (the kernel counts the loss), or drops ("ring_full"). */
enum bpe_overload { BPE_OVERLOAD_WAIT = 0, BPE_OVERLOAD_DROP };

/* Which packets share a worker.  A packet without the property is dealt by its flow.  An ICMP error
 * is dealt as a packet of the quoted flow, and a packet in a tunnel by the inner packet's key. */
enum bpe_spread {
	BPE_SPREAD_FLOW = 0, /* those of a flow */
	/* Those of a host, and so whole flows: the end of the flow that lies in
	 * options.spread_networks; if both ends or none does, the end with the lower address. */
	BPE_SPREAD_HOST,
	BPE_SPREAD_SOURCE,      /* those with the same sender; needs options.flows false, since the
				 * directions of a flow lie on two workers */
	BPE_SPREAD_DESTINATION, /* those with the same receiver; needs options.flows false */
	/* Those with the same outermost VLAN id of the key.  Packets of a flow that come with and
	 * without a tag are two flows then.  Needs options.ignore_vlan false. */
	BPE_SPREAD_VLAN,
	BPE_SPREAD_TUNNEL /* those of a tunnel (bpe_key.tunnel); needs ignore_tunnel false */
};

/* Which member of a group gets a packet (options.fanout).  Linux's PACKET_FANOUT_* of packet(7). */
enum bpe_fanout {
	BPE_FANOUT_NONE = 0,
	/* By addresses and ports: both directions of a flow go to one member.  The kernel puts
	 * fragments of IPv4 together first, and hands over whole datagrams. */
	BPE_FANOUT_HASH,
	BPE_FANOUT_LB,  /* in turns: a flow's packets come to all members */
	BPE_FANOUT_CPU, /* by the CPU that received the packet */
	BPE_FANOUT_QM   /* by the interface's queue that the packet came in */
};

enum bpe_priority {
	BPE_PRIORITY_NORMAL = 0,
	BPE_PRIORITY_HIGH,    /* macOS: QoS user-interactive; Linux: nice -10 */
	BPE_PRIORITY_REALTIME /* Linux: SCHED_FIFO; macOS: user-interactive */
};

/* What a worker does when the ring of records is full.  At the end of a run, when reading is
 * over, the worker waits in any case, until no record was taken for 2 seconds.  With pull_records
 * there is no such limit for files, and with BPE_RECORD_WAIT. */
enum bpe_record_overload {
	BPE_RECORD_AUTO = 0, /* live: drop, so that a slow on_record costs no packet; files: wait */
	BPE_RECORD_DROP,     /* drops the record and counts the loss in records_dropped */
	BPE_RECORD_WAIT
};

/* What becomes of TCP packets that a mirror port, or a capture on several interfaces, shows twice
 * within a millisecond.  The copies have the same IP identification and checksums. */
enum bpe_duplicates {
	BPE_DUPLICATES_TELL = 0, /* counted as packets and as duplicates, and as nothing else */
	BPE_DUPLICATES_IGNORE /* not recognised: they count as retransmissions or repeated ACKs */
};

/* The kinds of flow that have time-outs of their own. */
enum bpe_timeout {
	BPE_TIMEOUT_TCP_OPENING = 0, /* handshake not complete */
	BPE_TIMEOUT_TCP_ESTABLISHED,
	BPE_TIMEOUT_TCP_CLOSING, /* one FIN */
	BPE_TIMEOUT_TCP_CLOSED,  /* two FINs, or a reset */
	BPE_TIMEOUT_UDP_ONE_WAY, /* UDP or UDP-Lite; only one end has sent */
	BPE_TIMEOUT_UDP_TWO_WAY,
	BPE_TIMEOUT_ICMP,
	BPE_TIMEOUT_OTHER,
	BPE_TIMEOUT_COUNT
};
#define BPE_TIMEOUT_ROOM 16
#define BPE_WORKERS_AUTO (-1)

/* What to capture, and how.  Fill with bpe_options_init, then change members.  The command-line
 * option of bpfengine(1) is named with each member.  Strings and handlers are borrowed until the
 * engine or capture is closed.  Sized.
 *
 * Options without effect.  No source, system or level uses all options, and some options need
 * another option.  An option at its default is never reported.  Any other option without effect is
 * told by on_notice when the source is opened; packets and flows are the same without the option.
 * With option_words, notices and errors say "--ring" instead of "ring_slots (--ring)".
 * An option is refused if other packets than wanted would come, or a handler would never be called.
 * BPE_E_UNSUPPORTED: direction, link_type, bpf_abi, bpf_device and fanout.  BPE_E_ARGUMENT:
 * buffer_bytes and block_count of another size (Linux); on_batch and on_read of a capture; on_flow,
 * on_flow_open, on_flow_update, on_record, pull_records and cutoff without flows. */
struct bpe_options {
	uint32_t struct_size; /* set by bpe_options_init */

	/* Source.  Exactly one of interface_name, file, memory and push is set.  interface_name is
	 * "en0", "eth0", "any", "bpf:en0", "synth" or "synth:flows=1000,size=imix,...".
	 * "if:NAME" is the interface of this name in any case, even where NAME is any or synth. */
	const char *interface_name; /* -i */
	const char *file;           /* -r: pcap or pcapng savefile, also compressed (zstd, lz4,
				       gzip, xz); "-" is the standard input */
	/* A pcap or pcapng savefile of memory_bytes in memory, read in place, or compressed.  The
	 * memory is borrowed and must not change until the engine or capture is closed. */
	const void *memory;
	size_t memory_bytes;
	/* push: the program's own packets (bpe_engine_push, bpe_capture_push).  They wait in a
	 * buffer of buffer_bytes, rounded up to a power of two from 1 MiB (default 4 MiB).
	 * push_live: the packets' times are the clock's, as of an interface: flows age while no
	 * packets come, and a slow on_record loses records instead of packets. */
	bool push;
	bool push_live;
	uint32_t snaplen; /* -s: bytes to keep of each packet; default BPE_MAX_SNAPLEN */
	bool promiscuous; /* --promiscuous; default false */
	/* --wait-interface: waits for a vanished interface's return; with "any" of the BSDs and
	 * macOS, interfaces that come are captured, too. */
	bool wait_interface;
	uint32_t direction;   /* -Q: enum bpe_direction; default BPE_DIRECTION_BOTH */
	int32_t link_type;    /* -y: LINKTYPE_* that the interface offers, or of pushed packets that
			       * name none; default -1: the interface's own, or Ethernet */
	uint64_t max_packets; /* -c: ends the run after so many; default 0: no limit.  Counts each
			       * packet read and not filtered, but no BPE_DROP_DUPLICATE */

	/* Filter: a program or an expression, not both; default: every packet. */
	const struct bpe_insn *filter; /* classic BPF for the source's link type; copied */
	uint32_t filter_length;        /* instructions in filter */
	const char *filter_expression; /* -f: pcap-filter(7), compiled for each link type */
	uint32_t filter_through;       /* --through: BPE_THROUGH_* for filter_expression */

	/* Kernel buffers.  0 chooses automatically. */
	uint64_t buffer_bytes; /* -B: the kernel's capture buffer */
	uint32_t block_bytes;  /* --block-size: bytes of one read */
	uint32_t block_count;  /* --block-count: blocks in flight */

	/* BPF devices: interfaces of macOS and the BSDs, and "bpf:NAME" anywhere. */
	const char *bpf_abi;    /* --bpf-abi: "macos", "freebsd", "netbsd", "openbsd"; NULL: ours */
	const char *bpf_device; /* --bpf-device: path, macOS without number; NULL: "/dev/bpf" */
	uint32_t read_mode;     /* --read-mode: enum bpe_read_mode */
	int64_t read_interval_ns; /* --read-interval: for BPE_READ_PACED; 0: 1 ms */
	/* process: --process: macOS: owners of packets (BIOCSEXTHDR, PKTAP); on other interfaces of
	 * Linux, FreeBSD and macOS an engine asks for the owners of flows (on_owner). */
	bool process;
	/* --head-drop: macOS: a full buffer loses the oldest packets (BIOCSHEADDROP).
	 * --header-compression: macOS 13: the kernel leaves out what a packet shares with the
	 * packet before (BIOCSHDRCOMP); BPE_E_ARGUMENT on PKTAP, where process names would be
	 * wrong. */
	bool head_drop;
	bool header_compression;
	bool truncate_payload; /* --truncate: macOS, on pktap: headers only (BIOCSTRUNCATE) */
	bool zero_copy;        /* --zero-copy: FreeBSD: BPF_BUFMODE_ZBUF */

	/* Parser. */
	bool outermost; /* --outermost: flows by the outermost IP header; no tunnel in IP */
	bool checksums; /* --checksums: sets BPE_PKT_BAD_CHECKSUM, never on frames of this host */
	/* count_only: the engine counts packets and hands them to on_batch unparsed, on the reading
	 * thread, without flows.  bpe_batch_layers parses a packet on request. */
	bool count_only;
	uint64_t closed_tunnels; /* --tunnels: BPE_TUNNEL_BIT of kinds to stay out of; 0: none */
	bool ignore_tunnel;      /* --ignore-tunnel: the tunnel is no part of the flow's key */
	bool ignore_vlan; /* --ignore-vlan: VLAN ids are no part of the key; records have 0 */

	/* Seed of the flow hash. */
	bool fixed_seed;    /* --seed: false (default): random */
	uint64_t hash_seed; /* --seed N: used with fixed_seed */

	/* Threads. */
	/* --workers: 0: none; BPE_WORKERS_AUTO (default): 0 for synth; 1 for files of 16 MiB and
	 * more if there is a second core and no on_batch; live captures: by the number of cores */
	int32_t workers;
	uint32_t ring_slots; /* --ring: packets in a worker's ring, a power of two; 0: automatic */
	uint32_t overload;   /* --overload: enum bpe_overload */
	bool pin_workers;    /* --pin: one core for each worker, where the system allows */
	uint32_t priority;   /* --priority: enum bpe_priority */
	uint32_t spread;     /* --spread: enum bpe_spread; default BPE_SPREAD_FLOW */
	/* --spread-networks: for BPE_SPREAD_HOST, at most 64 networks: "10.0.0.0/8,fd00::/8"; NULL:
	 * private, link-local and unique local addresses */
	const char *spread_networks;

	/* Flows. */
	bool flows;             /* --no-flows: false; default true; the engine's */
	bool flow_table;        /* the capture keeps flows; default false */
	bool no_tcp_health;     /* --no-tcp-health: states and flags only, no sequence numbers */
	bool direction_by_port; /* --direction-by-port: without a SYN, the end with the port below
				 * 1024, or with the lower port, is the responder */
	bool flow_lengths;   /* --flow-lengths: ip_bytes and payload_bytes; 32 bytes more a flow */
	uint32_t duplicates; /* --duplicates: enum bpe_duplicates; needs TCP health */
	uint64_t max_flows;  /* --max-flows: in all workers together; default 1,000,000 */
	uint64_t max_flow_bytes; /* --flow-memory: lowers max_flows to fit; default 0: no bound */
	int64_t flow_idle_ns;    /* --flow-idle: end after so long without a packet; 300 s */
	int64_t flow_closed_ns;  /* --flow-closed: end of a closed or reset TCP flow; 10 s */
	/* --flow-timeout: by kind; 0: flow_closed_ns for TCP_CLOSED, flow_idle_ns for others.
	 * --flow-active: hands over a live flow every so long, with the next packet
	 * (BPE_END_ACTIVE); default 0: at the end only. */
	int64_t flow_timeout_ns[BPE_TIMEOUT_ROOM];
	int64_t flow_active_ns;

	/* Handlers.  NULL: not called.  user is handed to all. */
	bpe_batch_fn on_batch;
	bpe_flow_fn on_flow; /* each flow that ends; on the worker's or the capture's thread */
	bpe_notice_fn on_notice;
	void *user;

	/* Records: what on_flow gets, given instead, or as well, to a handler that may be slow.
	 * on_record runs on the engine's output thread, one call at a time, out of a ring for each
	 * worker.  flow NULL means that no record waits: time to flush.  This call comes after
	 * records, about every 10 ms while idle, and once at the very end. */
	bpe_flow_fn on_record;
	uint32_t record_ring_bytes; /* of each worker, a power of two from 4096, with names,
	processes or events at least 65,536 in effect; 0: 4 MiB */
	uint32_t record_overload;   /* --flows-overload: enum bpe_record_overload */
	/* The program takes the records: bpe_engine_records_fd, bpe_engine_next_record.  There is
	 * no output thread, and on_record must be NULL; default false. */
	bool pull_records;

	/* Live flows, on the thread of on_flow, with BPE_END_NONE.  A flow opens once, is updated
	 * in the order of packets, and ends once, all on one thread.  Addresses, ports, tunnel and
	 * worker stay; VLAN ids may be added when packets of the other direction have tags.
	 * on_flow_open: the flow's first packet has been counted.  Comes before on_batch has the
	 * packet.
	 * on_flow_update: the flow as of now, with a packet by which an update is due.  An update
	 * is due by time after more than flow_update_ns of packets' time since the opening or the
	 * last update.  An update is due by bytes after flow_update_bytes on the wire.  0: not by
	 * time, or not by bytes.  Counts run since the opening; with flow_active_ns since the
	 * period began (BPE_FLOW_CONTINUED).  A process is known after the first batch with the
	 * flow. */
	bpe_flow_fn on_flow_open, on_flow_update;
	int64_t flow_update_ns;
	uint64_t flow_update_bytes;
	/* --flows-begin: a record (BPE_END_BEGUN) also of each flow that begins, once the first
	 * packet has been counted; default false.  The process is not known yet. */
	bool record_begins;
	bool marks;        /* --print: fills marks and rtt_ns of batches; needs TCP health */
	bool option_words; /* notices and errors name bpfengine(1)'s options instead of members */

	/* Writing savefiles.  on_read is called with each batch on the reading thread, in the order
	 * of the source and before any worker has the batch.  flow, marks and rtt_ns are NULL; with
	 * worker threads, layers and key are parsed all the same.  The engine's; a capture refuses
	 * the handler, for the program reads there.
	 * cutoff: --cutoff: bpe_batch.keep says which part of each packet is to be written; default
	 * false.  A packet is whole if its flow had fewer captured bytes than cutoff_bytes before
	 * it, both directions and headers counted.  Later packets are kept up to the last known
	 * header, or with cutoff_drop not at all.  Packets without a flow are whole.  40 bytes more
	 * a flow. */
	bool cutoff, cutoff_drop;
	uint8_t zero[3]; /* 0; room for later members */
	uint64_t cutoff_bytes;
	bpe_batch_fn on_read;
	/* Several sources instead of one, read together: -i or -r given again.  NULL: none. */
	const struct bpe_source *sources;
	uint64_t source_count; /* sources in the array */

	/* Names, out of packets' payload: flow->names and events.  Costs 4 bytes more a flow, and
	 * names_bytes.  Needs flows.
	 * names: --names: BPE_NAMES_* bits of what is looked for; default 0: nothing.
	 * names_form: --names-form: enum bpe_names_form.  names_key: a secret text for
	 * BPE_NAMES_HASHED; NULL: random for each run.
	 * public_suffixes: --suffix-list: path of a public suffix list, for BPE_NAMES_DOMAIN; NULL:
	 * the system's.
	 * names_bytes: --names-memory: for names and unfinished payload of all workers together; 0:
	 * 64 MiB.
	 * quic_per_second: --quic-budget: Initials opened a second by each worker; 0: 20,000.
	 * crypto: opens QUIC's Initials; NULL: QUIC has a version, but no names.  Borrowed. */
	uint32_t names;
	uint32_t names_form;
	const char *names_key;
	const char *public_suffixes;
	uint64_t names_bytes;
	uint64_t quic_per_second;
	const struct bpe_crypto *crypto;
	/* on_event: --events: DNS, TLS, QUIC, HTTP and SSH events, on the thread of on_record; on
	 * the capture's thread for a capture.  Events take their turn in the rings of records, and
	 * come with NULL when no event waits.  With pull_records events come on the thread that
	 * takes records, during bpe_engine_next_record. */
	bpe_event_fn on_event;
	/* where: --where: only flows that match are given to on_flow, on_record and on_event
	 *.  Others count as records_filtered.  NULL: all. */
	const char *where;
	/* on_owner: with process, on sources that do not name processes themselves: answers who has
	 * the sockets of new flows, on a thread of the engine.  NULL: the system is asked. */
	bpe_owner_fn on_owner;
	/* Linux: the interface's packets are shared with the other members of a group, in this
	 * process and others.  All members have the same mode and interface.  Interfaces of other
	 * systems, and sources that are none: BPE_E_UNSUPPORTED.
	 * fanout: --fanout: enum bpe_fanout; default BPE_FANOUT_NONE: all packets come here.
	 * fanout_group: --fanout: number of the group, 0 to 65535; source k of several sources
	 * joins group fanout_group + k. */
	uint32_t fanout;
	uint32_t fanout_group;
};

/* A source of several (options.sources).  Exactly one of interface_name and file is set, as in
 * struct bpe_options.  Sized. */
struct bpe_source {
	uint32_t struct_size;          /* sizeof(struct bpe_source), in each element */
	uint32_t zero;                 /* 0 */
	const char *interface_name;    /* -i */
	const char *file;              /* -r */
	const char *filter_expression; /* -f of this source alone; NULL: the options' filter */
};
/* Fills *options with the defaults.  Any thread. */
BPE_INLINE void bpe_options_init(struct bpe_options *options);
/* Sets the source by a name as users give it.  memory and push are cleared; other members stay.
 * interface_name gets "synth", "synth:...", "if:NAME", "bpf:NAME" and the name of an interface.
 * file gets "-", the standard input, and any other name of a file that exists.  A file that has an
 * interface's name is "./NAME".  source is borrowed, as all strings of the options.
 * Returns BPE_OK.  Errors have advice: BPE_E_ABSENT for a name of nothing, BPE_E_ARGUMENT for an
 * empty name or a folder, BPE_E_RIGHTS without access.  An interface that is away for the moment
 * cannot be chosen: wait_interface waits for the return of an open one.  Any thread. */
BPE_API int bpe_options_set_source(
	struct bpe_options *options, const char *source, struct bpe_error *error);
/* ---- Packets ---- */
/* The kind of a packet: the last layer that the flow key knows, or the reason why there is none. */
enum bpe_proto {
	BPE_PROTO_NONE = 0, /* too short or too damaged to tell */
	BPE_PROTO_ARP,
	BPE_PROTO_TCP,
	BPE_PROTO_UDP,
	BPE_PROTO_ICMP,
	BPE_PROTO_ICMP6,
	BPE_PROTO_IGMP,
	BPE_PROTO_SCTP,
	BPE_PROTO_IP_OTHER,  /* IPv4 or IPv6 with another protocol, named by ip_proto */
	BPE_PROTO_ETHERTYPE, /* neither IP nor ARP; ethertype names the protocol */
	BPE_PROTO_LLC,       /* IEEE 802.3 frame with a length and an LLC header */
	BPE_PROTO_LINKTYPE,  /* link type that the library does not parse, named by link_type */
	BPE_PROTO_UDPLITE,
	BPE_PROTO_DCCP,
	BPE_PROTO_CARP,      /* of the BSDs; shares VRRP's protocol number */
	BPE_PROTO_WIREGUARD, /* UDP to or from port 51820 with one of WireGuard's four messages */
	BPE_PROTO_STP,       /* IEEE 802.1D in LLC */
	BPE_PROTO_GTP_PRIME, /* UDP to or from port 3386: charging records (3GPP TS 32.295) */
	BPE_PROTO_COUNT
};

/* Flags of a packet (struct bpe_layers.flags). */
#define BPE_PKT_IP4 0x0001u
#define BPE_PKT_IP6 0x0002u
#define BPE_PKT_FRAGMENT 0x0004u       /* a later IP fragment: no transport header inside */
#define BPE_PKT_FIRST_FRAGMENT 0x0008u /* the first fragment of several */
#define BPE_PKT_KEY 0x0010u            /* the key column is filled: the packet has a flow */
#define BPE_PKT_REVERSED 0x0020u       /* the sender is endpoint 1 of the key, not endpoint 0 */
#define BPE_PKT_VLAN 0x0040u           /* at least one 802.1Q or 802.1ad tag */
#define BPE_PKT_OUTGOING 0x0080u       /* sent by this host, if the source tells */
/* Damage. */
#define BPE_PKT_TRUNCATED 0x0100u   /* captured bytes end inside a header */
#define BPE_PKT_BAD_VERSION 0x0200u /* the IP version field does not fit */
#define BPE_PKT_BAD_HEADER 0x0400u  /* a header length below the minimum */
#define BPE_PKT_BAD_LENGTH 0x0800u  /* a length field that contradicts the packet */
#define BPE_PKT_WRONG 0x0f00u       /* any of the four */
/* The origin of the key. */
#define BPE_PKT_TUNNEL 0x1000u       /* a packet in a tunnel: layers and key are the innermost's */
#define BPE_PKT_ICMP_ERROR 0x2000u   /* an ICMP error: key of the quoted packet, own layers */
#define BPE_PKT_BAD_CHECKSUM 0x4000u /* in the IPv4 header or behind; needs options.checksums */
#define BPE_NO_OFFSET 0xffffu

/* Ways of carrying a packet inside another packet or behind an extra header.  The parser goes
 * into each, unless options.closed_tunnels names the kind. */
enum bpe_tunnel_kind {
	BPE_TUNNEL_NONE = 0,
	BPE_TUNNEL_IPIP,       /* IPv4 or IPv6 in IPv4 or IPv6: RFC 2003, 4213, 2473 */
	BPE_TUNNEL_GRE,        /* RFC 2784, 2890, 1701; PPTP's with PPP inside: RFC 2637 */
	BPE_TUNNEL_ERSPAN,     /* all three types: draft-foschiano-erspan-03 */
	BPE_TUNNEL_EOIP,       /* MikroTik's Ethernet over IP, in GRE */
	BPE_TUNNEL_WCCP,       /* redirected to a web cache, in GRE: draft-param-wccp-v2rev1 */
	BPE_TUNNEL_ETHERIP,    /* RFC 3378 */
	BPE_TUNNEL_MPLS_IP,    /* MPLS in IP: RFC 4023 */
	BPE_TUNNEL_SRV6,       /* Ethernet as IP protocol 143: RFC 8986 */
	BPE_TUNNEL_VXLAN,      /* RFC 7348 */
	BPE_TUNNEL_VXLAN_GPE,  /* draft-ietf-nvo3-vxlan-gpe-13 */
	BPE_TUNNEL_GENEVE,     /* RFC 8926 */
	BPE_TUNNEL_GTPU,       /* 3GPP TS 29.281 */
	BPE_TUNNEL_TEREDO,     /* RFC 4380 */
	BPE_TUNNEL_L2TP,       /* RFC 2661 */
	BPE_TUNNEL_GRE_UDP,    /* RFC 8086 */
	BPE_TUNNEL_MPLS_UDP,   /* RFC 7510 */
	BPE_TUNNEL_TZSP,       /* TaZmen Sniffer Protocol */
	BPE_TUNNEL_CAPWAP,     /* data channel, not encrypted: RFC 5415, 5416 */
	BPE_TUNNEL_EOMPLS,     /* Ethernet behind MPLS labels: RFC 4448, 4385 */
	BPE_TUNNEL_PBB,        /* provider backbone bridges: IEEE 802.1ah */
	BPE_TUNNEL_NSH,        /* service function chaining: RFC 8300 */
	BPE_TUNNEL_FABRICPATH, /* Cisco FabricPath */
	/* Not tunnels, but extra headers that are passed over: */
	BPE_TUNNEL_VNTAG,          /* IEEE 802.1Qbh, draft */
	BPE_TUNNEL_ETAG,           /* IEEE 802.1BR */
	BPE_TUNNEL_CISCO_METADATA, /* Cisco TrustSec's CMD header */
	BPE_TUNNEL_HSR,            /* IEC 62439-3 */
	BPE_TUNNEL_ARISTA,         /* Arista's time stamps */
	BPE_TUNNEL_MACSEC,         /* IEEE 802.1AE, not encrypted */
	BPE_TUNNEL_LLC_IP,         /* IPv4 behind LLC 06 06 03: IEEE 802.2, RFC 1060 */
	BPE_TUNNEL_MESH,           /* IEEE 802.11 mesh control */
	BPE_TUNNEL_AMSDU,          /* IEEE 802.11 aggregated MSDUs */
	BPE_TUNNEL_COUNT
};
#define BPE_TUNNEL_BIT(kind) (UINT64_C(1) << (kind))

/* The innermost tunnel around a packet.  Frozen. */
struct bpe_tunnel {
	uint8_t kind;        /* enum bpe_tunnel_kind */
	uint8_t depth;       /* packets around this packet: 1 and more */
	uint8_t ip_version;  /* of the carrying packet: 4 or 6; 0: no IP packet carries */
	uint8_t has_id;      /* 1 if id is filled */
	uint32_t id;         /* VNI, TEID, key, I-SID, label, SPI, ...; L2TP: tunnel, session */
	uint8_t addr[2][16]; /* from, to; network byte order; IPv4: first 4 bytes */
};

/* Where the layers of a packet begin: offsets in bytes from the first captured byte.  Frozen. */
struct bpe_layers {
	uint16_t network;   /* IP or ARP header; BPE_NO_OFFSET if none */
	uint16_t transport; /* TCP, UDP, ... header; BPE_NO_OFFSET if none was captured */
	uint16_t payload;   /* first byte behind the last known header; BPE_NO_OFFSET if none */
	uint16_t flags;     /* BPE_PKT_* */
	uint32_t end;       /* one past the last byte by the length fields; at most caplen */
	uint16_t ethertype; /* behind all VLAN tags; 0 if the link type has none */
	uint8_t ip_proto;   /* protocol (IPv4) or last next header (IPv6), AH passed over */
	uint8_t proto;      /* enum bpe_proto */
	uint16_t link_type; /* LINKTYPE_* as in savefiles (1 = Ethernet, 101 = raw IP, ...) */
	uint8_t tcp_flags;  /* byte 13 of the TCP header; 0 if not TCP */
	uint8_t vlan_count;
	uint16_t vlan[2]; /* VLAN ids of the outermost and the next tag; 0 if none */
};

/* The identity of a flow, the same for both directions.  Endpoint 0 is the lower by address, then
 * by port.  Keys can be compared as one block of bytes: no padding is left unset.  The key of a
 * packet in a tunnel is the inner packet's (options.outermost: the outer packet's).  The key of an
 * ICMP error is the flow of the quoted packet, which goes the other way.  The key of a later
 * fragment is the first fragment's, if the parser saw the first.  Therefore ip_proto and
 * ip_version can differ from the layers'.  Frozen. */
struct bpe_key {
	uint8_t addr[2][16]; /* network byte order; IPv4: first 4 bytes, the other 12 are 0 */
	uint16_t port[2];    /* ICMP echo: the identifier in both; 0 without ports */
	uint8_t ip_proto;
	uint8_t ip_version; /* 4 or 6 */
	uint16_t vlan[2];   /* VLAN ids, outermost first; 0 if none.  If only one direction is
			     * tagged: with options.flows, the ids of both */
	uint8_t zero[2];
	uint32_t tunnel; /* digest of the tunnels around the packet, the same for both directions;
			  * 0: none, or options.ignore_tunnel */
};

/* Parse one packet, as a source of the library would, to the innermost IP header or only to the
 * outermost.  bytes: the packet from its link-layer header on; caplen of its wirelen bytes are
 * there, and at most BPE_MAX_SNAPLEN are looked at.  link_type: LINKTYPE_*.  key may be NULL.
 * Later fragments have ports 0.  Return 1 with *layers and *key filled; 0 with only *layers filled
 * if the packet has no flow; BPE_E_ARGUMENT if bytes is NULL with a caplen, or for a link_type not
 * within 0 to 65535.  Pure.  Any thread. */
BPE_API int bpe_parse(const uint8_t *bytes, uint32_t caplen, uint32_t wirelen, int link_type,
	struct bpe_layers *layers, struct bpe_key *key);
BPE_API int bpe_parse_outermost(const uint8_t *bytes, uint32_t caplen, uint32_t wirelen,
	int link_type, struct bpe_layers *layers, struct bpe_key *key);
/* Returns the Toeplitz hash by which network cards choose a queue (RSS): of the addresses and, for
 * TCP and UDP, the ports, from the sender to the receiver.
 * reversed: endpoint 1 of the key is the sender (BPE_PKT_REVERSED).
 * rss_key: the card's key; NULL: 0x6d5a repeated, which gives both directions the same hash.  Any
 * thread. */
#define BPE_RSS_KEY_BYTES 40
BPE_API uint32_t bpe_toeplitz(
	const struct bpe_key *key, bool reversed, const uint8_t rss_key[BPE_RSS_KEY_BYTES]);
/* Up to BPE_BATCH packets, side by side: element i of each column belongs to packet i.  A view in
 * a handler; sized in bpe_capture_next. */
struct bpe_batch {
	uint32_t size;                /* bytes of this structure that are filled (BPE_HAS) */
	uint32_t count;               /* packets in the batch */
	uint32_t worker;              /* number of the calling worker, from 0 */
	uint32_t zero;                /* 0 */
	const uint8_t *const *data;   /* first captured byte */
	const int64_t *time_ns;       /* time stamp */
	const uint32_t *caplen;       /* bytes captured: data[i][0 .. caplen[i]) may be read */
	const uint32_t *wirelen;      /* bytes on the wire */
	const uint32_t *interface_id; /* pcapng: interface number, over all sections of the file;
				       * "any": the system's interface index; else 0 */
	const struct bpe_layers *layers;
	const struct bpe_key *key; /* filled if layers[i].flags has BPE_PKT_KEY */
	const uint32_t *hash;      /* seeded hash of the key; 0 without a key */
	const uint32_t *flow;      /* for bpe_batch_flow; NULL if no flows are kept */
	const void *table;         /* for bpe_batch_flow */
	const uint16_t *meta;      /* for bpe_batch_meta; NULL if the source has no metadata */
	uint64_t closed_tunnels;   /* options.closed_tunnels */
	const uint16_t *marks;     /* BPE_MARK_*; NULL without options.marks, or without flows
				    * that have TCP health */
	const int64_t *rtt_ns;     /* filled if marks[i] has BPE_MARK_RTT; NULL as marks */
	const void *source;        /* for bpe_batch_interface; NULL in a batch of no source */
	/* Packets that the kernel lost between the batch before and this batch's first packet, as
	 * far as the kernel tells at that time.  0 in batches of workers. */
	uint64_t lost_before;
	const uint32_t *keep; /* captured bytes to write (options.cutoff); NULL: all */
};

/* What the flow table found of a TCP packet (bpe_batch.marks).  A count in the flow's record is the
 * number of the flow's packets with the mark, unless the record has BPE_FLOW_CUT. */
#define BPE_MARK_RETRANSMISSION 0x01u /* all, the next two included */
#define BPE_MARK_FAST 0x02u           /* a fast retransmission */
#define BPE_MARK_SPURIOUS 0x04u       /* acknowledged before the retransmission */
#define BPE_MARK_OUT_OF_ORDER 0x08u   /* fills a hole */
#define BPE_MARK_ZERO_WINDOW 0x10u
#define BPE_MARK_LOST_BEFORE 0x20u /* a hole: segments before were not captured, or not yet */
#define BPE_MARK_UNSEEN_ACK 0x40u  /* acknowledges data that the other end was not seen to send */
#define BPE_MARK_KEEP_ALIVE 0x80u
#define BPE_MARK_REPEATED_ACK 0x100u
#define BPE_MARK_DUPLICATE 0x200u /* the packet was seen twice (options.duplicates) */
/* The ACK tells of a hole in the other end's segments: one of the other end's lost_segments. */
#define BPE_MARK_LOST_OTHER 0x400u
#define BPE_MARK_RTT 0x800u /* answers the other end: rtt_ns is the time since what it answers */

/* Parses packet i again, to the innermost or only to the outermost IP header, whatever the
 * batch's own columns describe.  which: BPE_LAYERS_*.  key may be NULL.  Returns 1 with *layers
 * and *key filled, 0 with only *layers filled if the packet has no flow, or BPE_E_ARGUMENT.
 * Later fragments have ports 0.  Any thread, while the batch is valid. */
#define BPE_LAYERS_INNERMOST 0u
#define BPE_LAYERS_OUTERMOST 1u
BPE_API int bpe_batch_layers(const struct bpe_batch *batch, uint32_t i, uint32_t which,
	struct bpe_layers *layers, struct bpe_key *key);
/* Finds the innermost tunnel around packet i in the packet's bytes.  Returns 1 with *tunnel
 * filled, 0 if there is none, or BPE_E_ARGUMENT.  Any thread, while the batch is valid. */
BPE_API int bpe_batch_tunnel(const struct bpe_batch *batch, uint32_t i, struct bpe_tunnel *tunnel);
/* Finds the innermost tunnel around a packet that is in no batch; parameters as of bpe_parse.
 * Returns 1 with *tunnel filled, 0 if there is none, or BPE_E_ARGUMENT.  Any thread. */
BPE_API int bpe_parse_tunnel(const uint8_t *bytes, uint32_t caplen, uint32_t wirelen, int link_type,
	struct bpe_tunnel *tunnel);
/* TCP options (RFC 9293; window scale and timestamps: RFC 7323; SACK: RFC 2018). */
#define BPE_TCP_MSS 0x01u
#define BPE_TCP_WINDOW_SCALE 0x02u
#define BPE_TCP_SACK_PERMITTED 0x04u
#define BPE_TCP_SACK 0x08u
#define BPE_TCP_TIMESTAMPS 0x10u
#define BPE_TCP_OPTIONS_BAD 0x80u /* cut, or of a wrong length; readable options are filled */

/* The TCP options of a packet.  Frozen. */
struct bpe_tcp_options {
	uint32_t present; /* BPE_TCP_* */
	uint32_t timestamp, timestamp_echo;
	uint32_t sack[4][2];  /* blocks: first sequence number, and the number behind the last */
	uint16_t mss;         /* bytes */
	uint8_t window_scale; /* bits to shift by */
	uint8_t sack_count;
};
/* Reads the TCP options of packet i.  Returns 1 with *options filled, 0 if the packet is not TCP
 * or its fixed header is cut, or BPE_E_ARGUMENT.  Any thread, while the batch is valid. */
BPE_API int bpe_batch_tcp_options(
	const struct bpe_batch *batch, uint32_t i, struct bpe_tcp_options *options);
/* Reads the TCP options of a packet that is in no batch.  layers: what bpe_parse filled for the
 * same bytes.  Returns as bpe_batch_tcp_options; BPE_E_ARGUMENT if the layers reach past caplen.
 * Any thread. */
BPE_API int bpe_parse_tcp_options(const uint8_t *bytes, uint32_t caplen,
	const struct bpe_layers *layers, struct bpe_tcp_options *options);
/* Metadata about a packet: of macOS (struct bpf_hdr_ext and struct pktap_header of xnu's bsd/net),
 * or of a pushed packet.  Flags of struct bpe_meta. */
#define BPE_META_DIRECTION 0x01u  /* BPE_META_OUT is known */
#define BPE_META_OUT 0x02u        /* sent by this host */
#define BPE_META_PROCESS 0x04u    /* pid is known; comm as well, unless "" */
#define BPE_META_RETRANSMIT 0x08u /* a retransmission of TCP */
#define BPE_META_START_SEQUENCE 0x10u
#define BPE_META_LAST 0x20u /* last packet of the flow, as the system says */
#define BPE_META_WAKE 0x40u /* the packet woke the machine */
#define BPE_META_NEW_FLOW 0x80u
#define BPE_META_KEEP_ALIVE 0x100u

/* What macOS tells about a packet, or a pcapng file.  Sized. */
struct bpe_meta {
	uint32_t flags;             /* BPE_META_* */
	int32_t pid, effective_pid; /* the owner, and the process it works for; -1 if unknown */
	char comm[32], effective_comm[32]; /* names of both; "" if unknown */
	char interface_name[25]; /* where the packet was seen: PKTAP's, or a pusher's; else "" */
	uint32_t service_class;  /* SO_TC_*; 0 if unknown */
	uint32_t unsent_bytes, unsent_socket_bytes; /* outgoing TCP: bytes queued behind the packet,
						     * at the interface and in the socket */
	uint32_t trace_tag;
	uint32_t flow_id;     /* the system's number of the flow; 0: unknown */
	uint32_t thread_id;   /* a pcapng file's, of the process; 0: unknown */
	uint32_t drop_reason; /* why the system dropped the packet; 0: it did not, or unknown */
};
/* Reads the metadata of packet i.  Returns 1 with *meta filled, or 0 if the source tells nothing.
 * Any thread, while the batch is valid. */
BPE_INLINE int bpe_batch_meta(const struct bpe_batch *batch, uint32_t i, struct bpe_meta *meta);
/* Finds comment n, from 0 on, that a pcapng file has for packet i.  Returns 1 with *comment and
 * *bytes filled: UTF-8 by the format, bytes of any value in fact, without a final 0, valid as long
 * as the packet.  Returns 0 if there is none.  Any thread, while the batch is valid. */
BPE_API int bpe_batch_comment(
	const struct bpe_batch *batch, uint32_t i, uint32_t n, const char **comment, size_t *bytes);
/* A packet of the program's own, for bpe_engine_push and bpe_capture_push.  Fill with
 * bpe_packet_init, then change members.  Sized. */
struct bpe_packet {
	const uint8_t *data;         /* caplen bytes from the link-layer header on; copied */
	int64_t time_ns;             /* time stamp */
	uint32_t caplen;             /* bytes at data; at most BPE_MAX_SNAPLEN are kept */
	uint32_t wirelen;            /* bytes on the wire; any number, also below caplen */
	uint32_t interface_id;       /* the program's number; batches and flows have it */
	int32_t link_type;           /* LINKTYPE_*, at most 65535; -1: options.link_type */
	uint32_t direction;          /* enum bpe_direction; UNKNOWN: as meta says */
	const struct bpe_meta *meta; /* copied; NULL: none.  interface_name names interface_id */
};
/* Fills *packet with zeros, and link_type with -1.  Any thread. */
BPE_INLINE void bpe_packet_init(struct bpe_packet *packet);
/* Copies the flow of packet i, as the flow stands now.  Returns 1 with *flow filled, or 0 if the
 * packet has no flow.  Only inside the batch handler that got the batch, on the same thread; for a
 * batch of bpe_capture_next until the next call. */
BPE_INLINE int bpe_batch_flow(const struct bpe_batch *batch, uint32_t i, struct bpe_flow *flow);
/* Returns the endpoint of the key that sent packet i: 0 or 1.  Only for a packet with a key
 * (BPE_PKT_KEY).  Any thread, while the batch is valid. */
BPE_INLINE uint32_t bpe_batch_sender(const struct bpe_batch *batch, uint32_t i);
/* Returns the end of the flow's record that sent packet i: 0, the originator, or 1.  Returns -1 if
 * the packet has no flow.  Where bpe_batch_flow may be called. */
BPE_API int bpe_batch_flow_end(const struct bpe_batch *batch, uint32_t i);
/* Tells of the interface of packet i what the source knows: link type, name, snap length and more.
 * The strings are valid until the engine or capture is closed.  Returns 1 with *interface filled,
 * or 0 with only interface_id and link_type filled.  Any thread, while the batch is valid. */
BPE_INLINE int bpe_batch_interface(
	const struct bpe_batch *batch, uint32_t i, struct bpe_write_interface *interface);
/* ---- Names of flows ---- */
/* What is looked for (options.names). */
#define BPE_NAMES_APPS 0x1u   /* the protocol, by content (enum bpe_app) */
#define BPE_NAMES_TLS 0x2u    /* TLS and DTLS: server name, ALPN, JA4, versions, certificate */
#define BPE_NAMES_QUIC 0x4u   /* the same of QUIC (options.crypto) */
#define BPE_NAMES_DNS 0x8u    /* names by the DNS answers that the client got; DNS events */
#define BPE_NAMES_HTTP 0x10u  /* HTTP/1: host, method, status */
#define BPE_NAMES_SSH 0x20u   /* SSH: version strings, HASSH */
#define BPE_NAMES_HOSTS 0x40u /* names of local hosts: DHCP, mDNS */
#define BPE_NAMES_JA3 0x80u   /* JA3 of TLS clients as well */
#define BPE_NAMES_ALL 0x7fu   /* all but JA3 */

/* The form in which names are given (options.names_form). */
enum bpe_names_form {
	BPE_NAMES_WHOLE = 0, /* as they were sent */
	BPE_NAMES_DOMAIN,    /* cut to the registered domain, by the public suffix list */
	BPE_NAMES_HASHED     /* 16 hexadecimal digits of a keyed hash (SipHash-2-4) */
};

/* Protocols that are recognised by content. */
enum bpe_app {
	BPE_APP_NONE = 0, /* not recognised, or not looked for */
	BPE_APP_TLS,
	BPE_APP_DTLS,
	BPE_APP_QUIC,
	BPE_APP_DNS,
	BPE_APP_MDNS,
	BPE_APP_LLMNR,
	BPE_APP_DHCP,
	BPE_APP_DHCPV6,
	BPE_APP_HTTP,
	BPE_APP_SSH,
	BPE_APP_SMTP,
	BPE_APP_IMAP,
	BPE_APP_POP3,
	BPE_APP_FTP,
	BPE_APP_SIP,
	BPE_APP_RTSP,
	BPE_APP_MQTT,
	BPE_APP_POSTGRESQL,
	BPE_APP_MYSQL,
	BPE_APP_REDIS,
	BPE_APP_NTP,
	BPE_APP_SNMP,
	BPE_APP_STUN,
	BPE_APP_WIREGUARD,
	BPE_APP_BITTORRENT,
	BPE_APP_SOCKS,
	BPE_APP_HTTP2, /* in the clear */
	BPE_APP_COUNT
};

/* Where a name comes from, the best first. */
enum bpe_name_source {
	BPE_NAME_NONE = 0,
	BPE_NAME_TLS,  /* server name of the ClientHello */
	BPE_NAME_QUIC, /* the same in QUIC */
	BPE_NAME_HTTP, /* Host */
	BPE_NAME_DNS,  /* the name that this client asked for */
	BPE_NAME_MDNS, /* also LLMNR */
	BPE_NAME_DHCP,
	BPE_NAME_COUNT
};

/* Whether the owner of a flow is known. */
enum bpe_owner {
	BPE_OWNER_UNKNOWN = 0, /* not asked, not yet answered, or gone before the answer */
	BPE_OWNER_NONE,        /* no process of this host has the socket */
	BPE_OWNER_KNOWN        /* pid and comm of the record */
};

/* Flags of names. */
#define BPE_NAMED_OUTER 0x1u /* server is an outer name of ECH (docs/names.md says which) */
#define BPE_NAMED_ECH 0x2u   /* the hello has an ECH extension, which may be GREASE */
#define BPE_NAMED_CUT 0x4u   /* evicted, cut by the capture, or too long: names may be missing */
#define BPE_NAMED_INNER 0x8u /* app was found behind CONNECT, SOCKS or STARTTLS */
/* The server answered: tls_version is its choice, and so is alpn up to TLS 1.2. */
#define BPE_NAMED_SERVER 0x10u

/* Names of a flow, of its ends and of what runs on it.  "" and 0: not known.  Texts are UTF-8
 * without control bytes (bytes that are no UTF-8 are written as \xNN).  Frozen. */
struct bpe_flow_names {
	uint8_t app;          /* enum bpe_app */
	uint8_t source;       /* of server: enum bpe_name_source */
	uint8_t owner;        /* enum bpe_owner */
	uint8_t others_count; /* names in others, and names that did not fit */
	uint32_t flags;       /* BPE_NAMED_* */
	uint16_t tls_version; /* 0x0304: TLS 1.3; the server's choice, else the client's highest */
	uint16_t tls_cipher;  /* the server's choice */
	uint32_t quic_version;
	uint16_t http_status; /* of the first response */
	uint16_t zero;
	int32_t uid;      /* of the owner; -1 if unknown */
	int64_t age_ns;   /* of a name by DNS: from the answer to the flow's first packet */
	int64_t ttl_ns;   /* of a name by DNS: as answered */
	char server[256]; /* name of the responder */
	char others[256]; /* other names by DNS for the same address, the newest first, by commas */
	char client[64];  /* host name of the originator, by DHCP or mDNS */
	char alpn[32];    /* the server's choice, else the client's list: "h2,http/1.1" */
	char ja4[40];     /* "t13d1516h2_8daaf6152771_e5627efa2ab1" */
	char ja3[33];     /* hexadecimal; BPE_NAMES_JA3 */
	char hassh[2][33];  /* SSH: of the client, and of the server */
	char method[13];    /* HTTP: of the first request */
	char banner[2][64]; /* SSH: version string by end */
	char subject[128];  /* of the server's certificate, as in RFC 4514; TLS 1.2 and before */
	char issuer[128];
	char container[64]; /* of the owner */
};

/* ---- Flows ---- */
enum bpe_tcp_state {
	BPE_TCP_NONE = 0,     /* not TCP */
	BPE_TCP_SYN_SENT,     /* SYN seen */
	BPE_TCP_SYN_RECEIVED, /* SYN and SYN-ACK seen */
	BPE_TCP_ESTABLISHED,  /* whole handshake seen, or joined later (BPE_FLOW_MIDSTREAM) */
	BPE_TCP_CLOSING,      /* one end has sent FIN */
	BPE_TCP_CLOSED,       /* both ends have sent FIN */
	BPE_TCP_RESET         /* RST seen */
};

/* Why a flow was handed over. */
enum bpe_flow_end {
	BPE_END_NONE = 0, /* not at an end: bpe_batch_flow, bpe_engine_top_flows, on_flow_open,
			   * on_flow_update */
	BPE_END_IDLE,     /* no packet for the idle time-out */
	BPE_END_CLOSED,   /* TCP closed or reset: after its time-out, or reuse of the ports */
	BPE_END_EVICTED,  /* the table was full, and this flow was the first to go */
	BPE_END_STOP,     /* the engine stopped, the capture ended or bpe_capture_end_flows */
	BPE_END_ACTIVE,   /* the flow goes on: a period of flow_active_ns is over */
	BPE_END_DUMPED,   /* the flow goes on: a dump (bpe_engine_dump_flows) */
	BPE_END_BEGUN     /* the flow has begun (options.record_begins) */
};

/* What an evicted flow was, in the order in which flows are evicted. */
enum bpe_evicted {
	BPE_EVICTED_SINGLE = 0, /* one packet so far, without a TCP header */
	BPE_EVICTED_HALF_OPEN,  /* TCP that is not established: no handshake, or one packet */
	BPE_EVICTED_CLOSED,     /* TCP closed or reset */
	BPE_EVICTED_ALIVE, /* any other: the longest idle of several, since no weaker was left */
	BPE_EVICTED_COLLISION, /* keys collide: all buckets in reach are full, the table is not */
	BPE_EVICTED_COUNT
};
#define BPE_EVICTED_ROOM 8

/* Flags of a flow record. */
#define BPE_FLOW_MIDSTREAM 0x1u     /* TCP without a SYN seen: the direction is inferred */
#define BPE_FLOW_CONTINUED 0x2u     /* counts since the last period (BPE_END_ACTIVE) */
#define BPE_FLOW_CUT 0x4u           /* history or health is incomplete, or a count hit 65,535 */
#define BPE_FLOW_BY_PORT 0x8u       /* the direction comes from options.direction_by_port */
#define BPE_FLOW_TUNNEL 0x10u       /* the first packet was in a tunnel */
#define BPE_FLOW_ICMP 0x20u         /* icmp_type and icmp_code are known */
#define BPE_FLOW_LENGTHS 0x40u      /* ip_bytes and payload_bytes were counted */
#define BPE_FLOW_INTERFACE_ID 0x80u /* interface_id is known */
#define BPE_FLOW_HEALTH 0x100u /* TCP sequence numbers were followed: a count of 0 means none */
#define BPE_FLOW_CUTOFF 0x200u /* unwritten_packets and unwritten_bytes were counted */
#define BPE_FLOW_VERSION 1

/* A flow record.  Index 0 is the originator: the sender of the first SYN, else of the first
 * packet.  Later versions fill reserved members and never give a member another meaning.  Functions
 * take the library's records, copies of them, and records of the program's making with version and
 * size set.  A view in a handler; sized in the program's own memory. */
struct bpe_flow {
	uint16_t version;         /* BPE_FLOW_VERSION of the library */
	uint16_t size;            /* bytes of this structure that are filled (BPE_HAS) */
	uint32_t interface_index; /* live: of the first packet (if_nametoindex(3)); 0: unknown */
	uint8_t addr[2][16];      /* network byte order; IPv4: first 4 bytes */
	uint16_t port[2];         /* ICMP echo: the identifier in both; 0 without ports */
	uint8_t ip_proto;
	uint8_t ip_version;
	uint16_t vlan[2];             /* outermost first; 0: none */
	uint8_t tcp_state;            /* enum bpe_tcp_state */
	uint8_t tcp_flags[2];         /* all TCP flags that this end has sent, or-ed */
	uint8_t end;                  /* enum bpe_flow_end */
	uint8_t icmp_type, icmp_code; /* of the first packet, with BPE_FLOW_ICMP */
	uint32_t flags;               /* BPE_FLOW_* */
	uint32_t hash;
	uint32_t interface_id; /* of the first packet, as in bpe_batch; BPE_FLOW_INTERFACE_ID */
	uint16_t worker;       /* number of the worker that kept the flow */
	uint16_t zero;
	uint64_t packets[2]; /* sent by this end */
	uint64_t captured_bytes[2];
	uint64_t wire_bytes[2];
	/* With BPE_FLOW_LENGTHS: by the length fields of IP, headers included, and behind the last
	 * header, retransmissions included; at most the bytes of the frames. */
	uint64_t ip_bytes[2];
	uint64_t payload_bytes[2];
	int64_t first_ns, last_ns;
	char interface_name[256];   /* "" if unknown; a longer name is cut */
	int32_t pid, effective_pid; /* process of this host, with options.process; -1 if unknown */
	char comm[32], effective_comm[32];

	/* TCP, as far as captured; empty with options.no_tcp_health.  Index k: sent by end k. */

	/* Zeek's letters, each at the first time only: S SYN, H SYN-ACK, A bare ACK, D data, F FIN,
	 * R RST, T retransmission, W zero window, G gap; Q SYN with FIN or RST, I FIN with RST, C
	 * bad checksum.  Capital letters are the originator's.  A leading ^ says that the SYN-ACK
	 * told the direction. */
	char history[32];
	/* [0]: SYN-ACK to ACK, the originator's distance; [1]: SYN to SYN-ACK, the responder's.
	 * Exact to 1/1,024; -1 if not seen. */
	int64_t handshake_ns[2];
	/* Round trip between here and end k: from data of the other end to the ACK, smoothed as TCP
	 * does (RFC 6298).  Retransmitted segments give no sample.  While many connections are busy
	 * not every segment is timed.  -1 if not seen. */
	int64_t rtt_ns[2];
	uint16_t mss[2];             /* 0 if unknown */
	int8_t window_scale[2];      /* bits; -1 if unknown */
	uint32_t retransmissions[2]; /* all, the next two included */
	/* Within 20 ms, or twice the distance to the sender, of two duplicate ACKs. */
	uint32_t fast_retransmissions[2];
	uint32_t spurious_retransmissions[2]; /* acknowledged before the retransmission */
	uint32_t out_of_order[2]; /* fills a hole within a round trip, or 3 ms if unknown */
	uint32_t repeated_acks[2];
	uint32_t zero_windows[2];
	uint32_t lost_segments[2]; /* holes: earlier segments were not captured, or not yet */
	uint32_t unseen_acks[2];   /* ACKs for data that the other end was not seen to send */
	uint32_t keep_alives[2];

	/* Any protocol.  Index k: as in packets[k]. */
	uint32_t icmp_errors[2];  /* about packets of the other end; no packets of the flow */
	uint32_t duplicates[2];   /* TCP packets that were seen twice (options.duplicates) */
	struct bpe_tunnel tunnel; /* of the first packet; kind BPE_TUNNEL_NONE: in no tunnel, or,
				   * with BPE_FLOW_TUNNEL, unknown */
	/* Place in the worker's table: below max_flows, and no two live flows of a worker share a
	 * slot.  From on_flow_open to the end the slot stays, and may number a program's own array.
	 * After the end another flow may get the slot. */
	uint32_t slot;
	uint32_t reserved; /* 0 */
	/* With BPE_FLOW_CUTOFF: what options.cutoff kept out of savefiles.  Packets of which no
	 * byte is to be written, and captured bytes of all packets that are not to be written. */
	uint64_t unwritten_packets[2];
	uint64_t unwritten_bytes[2];
	/* With options.names, or a process that was asked for; else empty. */
	struct bpe_flow_names names;
};
/* Copies a record, also to a program's structure of another size than the record's.  Members that
 * the record lacks become 0, and copy->size tells what is filled.  Any thread. */
BPE_INLINE void bpe_flow_copy(struct bpe_flow *copy, const struct bpe_flow *flow);
/* Returns Zeek's conn_state ("SF", "S0", "REJ", ... "OTH") of the record.  Never NULL.  Any
 * thread. */
BPE_API const char *bpe_flow_conn_state(const struct bpe_flow *flow);
/* Writes the Community ID, version 1 ("1:..."), for the seed (usually 0).  Returns 1, or 0 for a
 * flow that has none: the specification wants ICMP types with a reply type, as echo has.  Any
 * thread. */
#define BPE_COMMUNITY_ID_BYTES 32
BPE_API int bpe_flow_community_id(
	const struct bpe_flow *flow, uint16_t seed, char id[BPE_COMMUNITY_ID_BYTES]);
/* The forms of a record as a line of text. */
enum bpe_format {
	BPE_FORMAT_JSON = 0, /* JSON lines, schema bpfengine.flow/1; bpfengine(1) lists the names */
	BPE_FORMAT_ZEEK,     /* JSON lines with the names of Zeek's conn.log */
	BPE_FORMAT_EVE,      /* JSON lines as the flows of Suricata's EVE */
	BPE_FORMAT_CSV,      /* RFC 4180; the first line names the columns */
	BPE_FORMAT_ECS,      /* JSON lines with the names of the Elastic Common Schema */
	BPE_FORMAT_COUNT
};

/* Writes the record as a line with its end ("\n"; CSV: "\r\n") and a final 0.  Unknown members
 * are left out (CSV: empty).  flow NULL: the line before all others, the column names of CSV;
 * other formats have none and the length is 0.  Returns the length without the final 0.  Returns
 * BPE_E_ARGUMENT for an unknown format, for a record of an unknown version or without a size.
 * Returns BPE_E_ARGUMENT if the text does not fit; BPE_FORMAT_BYTES always suffices.  Any thread.
 */
#define BPE_FORMAT_BYTES 32768
BPE_API int bpe_flow_format(const struct bpe_flow *flow, uint32_t format, char *text, size_t size);
/* ---- Records as columns ---- */
/* Rows of flow records in the columnar form of Apache Arrow, which data frames and databases take
 * without a copy.  The structures are those of Arrow's C data interface, and are the same in every
 * library: arrow.apache.org/docs/format/CDataInterface.html.  Frozen. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
	const char *format, *name, *metadata;
	int64_t flags, n_children;
	struct ArrowSchema **children, *dictionary;
	void (*release)(struct ArrowSchema *schema);
	void *private_data;
};

struct ArrowArray {
	int64_t length, null_count, offset, n_buffers, n_children;
	const void **buffers;
	struct ArrowArray **children, *dictionary;
	void (*release)(struct ArrowArray *array);
	void *private_data;
};
#endif

/* Rows that are gathered column by column.  Opaque.  One thread at a time. */
struct bpe_columns;
/* Opens columns without rows.  Returns BPE_OK, or BPE_E_MEMORY with *columns NULL. */
BPE_API int bpe_columns_open(struct bpe_columns **columns, struct bpe_error *error);
/* Adds a copy of the record as a row.  Returns BPE_OK; BPE_E_ARGUMENT for a record of an unknown
 * version or without a size; BPE_E_MEMORY without memory, or if a column of texts would exceed
 * 2 GiB.  After a failure the columns are as before: take the rows, and add the record again. */
BPE_API int bpe_columns_add(struct bpe_columns *columns, const struct bpe_flow *flow);
/* Returns the number of rows. */
BPE_API uint64_t bpe_columns_rows(const struct bpe_columns *columns);
/* Adds the records that wait in an engine with options.pull_records, at most `most`, and returns
 * their number.  Waits for the first of them.  Returns 0 once the run has ended and all records
 * were taken; of a run that failed the failure's status comes in place of 0, after all records.
 * Returns BPE_E_ARGUMENT for 0 rows; BPE_E_STATE as bpe_engine_next_record; BPE_E_BUSY if a signal
 * ended the wait: go on; BPE_E_MEMORY, after which no record is lost: take the rows, and go on. */
BPE_API int64_t bpe_columns_fill(struct bpe_columns *columns, struct bpe_engine *engine,
	uint64_t most, struct bpe_error *error);
/* Moves the rows to *array and describes the columns in *schema.  The array is an Arrow struct
 * array; its children are the columns.  Buffers are not copied.  The columns have no rows
 * afterwards, and go on.  schema NULL: no schema.  array NULL: the schema alone, and the rows stay.
 * docs/arrow.md lists the columns; later versions append columns.  The caller owns both structures,
 * which may outlive the columns, and calls their member release.  release may be called by any
 * thread.  Returns BPE_OK, or BPE_E_MEMORY with the rows unharmed and both structures untouched. */
BPE_API int bpe_columns_take(
	struct bpe_columns *columns, struct ArrowSchema *schema, struct ArrowArray *array);
/* Frees the columns and rows that were not taken.  NULL is allowed. */
BPE_API void bpe_columns_close(struct bpe_columns *columns);
/* ---- Events ---- */
enum bpe_event_kind {
	BPE_EVENT_DNS = 1, /* a query with its answer, or either alone; also mDNS and LLMNR */
	BPE_EVENT_TLS,     /* hello of the client, and of the server if seen; also DTLS */
	BPE_EVENT_QUIC,
	BPE_EVENT_HTTP, /* the flow's first request, and its response if seen */
	BPE_EVENT_SSH,
	BPE_EVENT_COUNT
};

/* Which messages of a DNS event were seen. */
#define BPE_DNS_QUERY 0x1u
#define BPE_DNS_ANSWER 0x2u

/* A record of the answer section.  Frozen. */
struct bpe_dns_answer {
	uint16_t type; /* 1: A */
	uint16_t zero;
	uint32_t ttl;   /* seconds */
	char text[256]; /* "192.0.2.1", "www.example.com", "10 mail.example.com"; longer: cut */
};

/* A DNS query and its answer (RFC 1035).  Frozen. */
#define BPE_DNS_ANSWERS 24
struct bpe_dns {
	uint16_t id;
	uint16_t flags;  /* the second word of the header: of the answer, else of the query */
	uint16_t type;   /* of the first question: 1: A, 28: AAAA, 65: HTTPS */
	uint16_t class_; /* 1: IN */
	uint32_t seen;   /* BPE_DNS_QUERY, BPE_DNS_ANSWER */
	uint8_t rcode, opcode;
	uint8_t answer_count; /* elements of answers that are filled */
	uint8_t zero;
	uint32_t answer_total; /* records of the answer section */
	uint32_t zero_2;
	int64_t rtt_ns;  /* from query to answer; -1 */
	char query[256]; /* the name asked for */
	struct bpe_dns_answer answers[BPE_DNS_ANSWERS];
};

/* An event of a flow (options.on_event).  A view in a handler; sized in the program's own
 * memory. */
struct bpe_event {
	uint16_t version;            /* BPE_FLOW_VERSION */
	uint16_t size;               /* bytes of this structure that are filled */
	uint32_t kind;               /* enum bpe_event_kind */
	int64_t time_ns;             /* of the packet that told: the answer, the last hello */
	const struct bpe_flow *flow; /* as known at the event, counters included; never NULL */
	const struct bpe_dns *dns;   /* BPE_EVENT_DNS; else NULL */
};
/* Returns "dns", "tls", "quic", "http", "ssh", or NULL.  Any thread. */
BPE_API const char *bpe_event_kind_name(int kind);
/* Writes the event as a line, as bpe_flow_format does.  BPE_FORMAT_ZEEK has the lines of Zeek's
 * dns.log, ssl.log, quic.log, http.log and ssh.log, with the log's name as _path.  Returns
 * BPE_E_UNSUPPORTED for BPE_FORMAT_CSV.  BPE_EVENT_FORMAT_BYTES always suffices.  Any thread. */
#define BPE_EVENT_FORMAT_BYTES 65536
BPE_API int bpe_event_format(
	const struct bpe_event *event, uint32_t format, char *text, size_t size);

/* ---- Owners of sockets ---- */
/* A flow that asks for its owner.  Index 0 is the originator.  Frozen. */
struct bpe_owner_question {
	uint8_t addr[2][16]; /* network byte order; IPv4: first 4 bytes */
	uint16_t port[2];
	uint8_t ip_proto, ip_version;
	uint16_t zero;
	uint32_t interface_index; /* 0: unknown */
	uint32_t zero_2;
	int64_t first_ns; /* of the flow */
};
/* Frozen. */
struct bpe_owner_answer {
	uint32_t owner;   /* enum bpe_owner */
	uint32_t end;     /* the end of the flow that the process has */
	int32_t pid, uid; /* -1: unknown */
	char comm[32];
	char container[64]; /* "docker:1f2e3d4c5b6a", "podman:...", a systemd machine; "" */
};
struct bpe_owners;
/* Opens what the system has to ask: sock_diag(7) and /proc, FreeBSD's sysctl(3) lists, macOS's
 * libproc.  Fails with BPE_E_UNSUPPORTED elsewhere.  Opened with rights, it keeps working after
 * the rights are dropped as far as the system allows (docs/programs.md). */
BPE_API int bpe_owners_open(struct bpe_owners **owners, struct bpe_error *error);
/* Answers n questions, with one look at the system's lists.  n 0: only notes what has happened
 * since the last call; calls at least each second lose less.  Returns BPE_OK, or BPE_E_ARGUMENT.
 * One thread at a time. */
BPE_API int bpe_owners_ask(struct bpe_owners *owners, const struct bpe_owner_question *questions,
	struct bpe_owner_answer *answers, size_t n);
/* Frees owners, or NULL. */
BPE_API void bpe_owners_close(struct bpe_owners *owners);

/* ---- Cryptography for QUIC ---- */
/* Each returns true on success.  Called by workers' threads, also by several at a time. */
typedef bool (*bpe_hmac_fn)(const uint8_t *key, size_t key_bytes, const uint8_t *text,
	size_t text_bytes, uint8_t mac[32]);
typedef bool (*bpe_aes_fn)(const uint8_t key[16], const uint8_t *in, uint8_t *out, size_t blocks);
/* The last 16 of in_bytes are the tag, which is checked. */
typedef bool (*bpe_gcm_fn)(const uint8_t key[16], const uint8_t nonce[12], const uint8_t *aad,
	size_t aad_bytes, const uint8_t *in, size_t in_bytes, uint8_t *out);

/* Functions of the program's library for cryptography; the engine has none.  Sized. */
struct bpe_crypto {
	uint32_t struct_size; /* sizeof(struct bpe_crypto) */
	uint32_t zero;
	const char *name;           /* "OpenSSL 3.0.15" */
	bpe_hmac_fn hmac_sha256;    /* HMAC with SHA-256 (RFC 2104) */
	bpe_aes_fn aes128_ecb;      /* encrypts blocks of 16 bytes */
	bpe_gcm_fn aes128_gcm_open; /* NULL: aes128_ecb is used, and the tag is not checked */
};

/* ---- Conditions of flows ---- */
struct bpe_where;
/* Compiles a condition over a record's members, as 'name like "*.example.com" and rtt > 100ms';
 * bpfengine-where(7) has the language.  Stores what the caller frees with bpe_where_free.  Returns
 * BPE_E_ARGUMENT for a wrong condition: error->text has the column, and what is expected there.
 * Any thread. */
BPE_API int bpe_where_compile(
	const char *expression, struct bpe_where **where, struct bpe_error *error);
/* Returns whether the flow matches; false for a record without a size.  Any thread. */
BPE_API bool bpe_where_match(const struct bpe_where *where, const struct bpe_flow *flow);
/* Frees a condition.  NULL is allowed.  Any thread. */
BPE_API void bpe_where_free(struct bpe_where *where);
/* ---- Statistics ---- */
/* Why a packet that was read was not delivered. */
enum bpe_drop {
	BPE_DROP_RING_FULL = 0, /* a worker's ring was full (options.overload) */
	BPE_DROP_STALLED,       /* a worker left packets in its ring until the engine was closed */
	BPE_DROP_DUPLICATE,     /* the second sight of a packet on a loopback interface */
	BPE_DROP_COUNT
};
#define BPE_DROP_ROOM 8

/* Classes of packet sizes on the wire: those of RFC 2819 (etherStats), 1519-9216 bytes, above. */
#define BPE_SIZE_CLASSES 8
#define BPE_SIZE_ROOM 16

/* What a source counts (struct bpe_stats.kernel_known).  Savefiles count what their statistics say
 * (pcapng).  synth counts what was skipped at a given rate.  No BPF device counts the interface's
 * drops.  FreeBSD, OpenBSD, and macOS 11 and 12 do not count packets that the filter accepted. */
#define BPE_KNOWN_RECEIVED 0x1u
#define BPE_KNOWN_DROPPED 0x2u
#define BPE_KNOWN_INTERFACE_DROPPED 0x4u
#define BPE_KNOWN_ACCEPTED 0x8u

/* Counters of a run.  The books balance: read_packets = delivered_packets + the sum of dropped +
 * in_flight; flows_opened = flows_active + flows_ended + flows_evicted; with on_record or
 * pull_records, when all were taken: records + records_dropped + records_filtered = flows_opened +
 * flows_periods + flows_dumped + flows_begun, with events that options.where left out on the left
 * alone.  kernel_* are the source's own counts (Linux: packet(7), PACKET_STATISTICS), 0 for files.
 * Sized. */
struct bpe_stats {
	uint64_t elapsed_ns;                 /* since the start, until the end of the run */
	uint64_t read_packets;               /* records taken from the source */
	uint64_t captured_bytes, wire_bytes; /* of read_packets */
	uint64_t delivered_packets;          /* through parser, flow table and handlers */
	uint64_t dropped[BPE_DROP_ROOM];     /* by enum bpe_drop */
	uint64_t in_flight;                  /* between reader and handlers; 0 after the end */
	uint64_t kernel_received;            /* see kernel_known, as for the next three */
	uint64_t kernel_accepted;            /* of kernel_received: passed the kernel's filter */
	uint64_t kernel_dropped, interface_dropped;
	uint64_t filtered;    /* refused by the filter in the library; not part of read_packets */
	uint64_t blocks;      /* buffers read */
	uint64_t torn_blocks; /* live: buffers with records past the end */
	uint64_t waits;       /* times the reader waited for a full ring or a free block */
	uint64_t batches;     /* batches through the workers */
	uint64_t sizes[BPE_SIZE_ROOM]; /* delivered packets by size */
	/* Delivered packets so flagged.  Packets that the capture cut count in cut_headers, not in
	 * truncated. */
	uint64_t truncated, bad_version, bad_header, bad_length;
	uint64_t bad_checksum;
	uint64_t ip4_packets, ip6_packets, fragments, vlan_packets; /* delivered packets */
	uint64_t tunnel_packets, icmp_errors;
	uint64_t fragments_followed; /* later fragments that got the flow of the first fragment */
	uint64_t fragments_lost;     /* later fragments without a first: on a flow with ports 0 */
	uint64_t fragments_evicted;  /* first fragments forgotten too early, for want of room */
	uint64_t flows_opened, flows_active, flows_peak, flows_ended, flows_evicted;
	uint64_t flow_packets;  /* delivered packets that belong to a flow */
	uint64_t flows_refused; /* packets without room for their flow (max_flows = 0) */
	uint64_t flows_periods; /* records of BPE_END_ACTIVE */
	uint64_t flow_bytes;    /* memory of the flow tables, as far as touched */
	uint64_t time_steps;    /* jumps of the packets' clock */
	uint64_t duplicates;    /* TCP packets seen twice (options.duplicates) */
	uint64_t evicted[BPE_EVICTED_ROOM]; /* flows_evicted by enum bpe_evicted */
	uint64_t records;                   /* records given to on_record, or taken */
	uint64_t records_dropped; /* lost to a full ring, or to an on_record stuck at the end */
	uint64_t flows_dumped;    /* records of BPE_END_DUMPED for on_record */
	uint64_t packets_per_second, bits_per_second; /* read, over the last whole second */
	/* Packets before the filter, by the direction that a savefile records. */
	uint64_t inbound_packets, outbound_packets;
	/* Earliest and latest time of the packets read; 0 before the first.  A packet with the time
	 * 0 has none, and is left out.  The span may exceed 2^63 ns: subtract as uint64_t. */
	int64_t first_packet_ns, last_packet_ns;
	uint64_t source_bytes, source_position; /* savefiles: length and how far read; else 0 */
	uint32_t workers;                       /* worker threads; 0: all on the reading thread */
	uint64_t empty_reads; /* live: read() calls (BPF) or waits (AF_PACKET) without a packet */
	uint64_t block_bytes, block_capacity; /* live: bytes in the blocks read, and their room */
	uint64_t interface_down; /* live: 1 while the interface is down and nothing can come */
	uint64_t kernel_known;   /* BPE_KNOWN_*: kernel_* counts that are known; others are 0 */
	uint64_t flows_begun;    /* records of BPE_END_BEGUN (options.record_begins) */
	uint64_t cut_packets;    /* delivered packets with fewer bytes captured than on the wire */
	uint64_t cut_headers;    /* of cut_packets: the captured bytes end inside a header */
	/* With options.checksums: packets read with a computed checksum, and packets read without,
	 * since the capture cut the packet. */
	uint64_t checksums_verified, checksums_cut;
	/* Names (options.names). */
	uint64_t names_flows;   /* flows with a recognised payload */
	uint64_t names_pending; /* flows with unfinished payload just now */
	uint64_t names_evicted; /* given up for want of names_bytes */
	uint64_t names_expired; /* given up after the time for unfinished payload */
	uint64_t names_lost;    /* names that found no room in names_bytes */
	uint64_t names_bytes;   /* memory in use */
	uint64_t quic_opened, quic_failed, quic_skipped; /* Initials; skipped: over the budget */
	uint64_t dns_messages, dns_evicted; /* dns_evicted: answers forgotten for want of room */
	uint64_t events, events_dropped;    /* given to on_event; lost to a full ring */
	uint64_t records_filtered;          /* records and events that options.where left out */
	/* Owners (options.process).  asked = known + none + unknown, once all were answered. */
	uint64_t owners_asked, owners_known, owners_none, owners_unknown;
	uint64_t owners_skipped; /* flows not asked for: the ring of questions was full */
};

/* A member of struct bpe_stats, for programs that show or export all statistics.  Frozen. */
#define BPE_STAT_GAUGE 1u /* the value may fall; otherwise a counter */
struct bpe_stat {
	const char *name; /* of the member */
	const char *key; /* place in the JSON report: "packets.read"; NULL: not there as a number */
	const char *unit;       /* "packets", "bytes", "flows", "ns"...; "" for states */
	const char *help;       /* a phrase: "records taken from the source" */
	uint32_t offset, bytes; /* in struct bpe_stats; 8 or 4; times of packets are signed */
	uint32_t count;         /* numbers: 1, or the elements of an array */
	uint32_t flags;         /* BPE_STAT_GAUGE */
	uint32_t known;         /* a count only if kernel_known has this bit; 0: always */
	uint32_t zero;          /* 0 */
};
/* Returns the constant list of the statistics, in the order of the members, and its length.  The
 * list ends where the program's struct bpe_stats ends.  Any thread. */
BPE_INLINE const struct bpe_stat *bpe_stat_list(size_t *count);

/* Counters of a worker; names as in struct bpe_stats.  Sized. */
struct bpe_worker_stats {
	uint64_t packets, captured_bytes, wire_bytes, batches, dropped;
	uint64_t flows_active, flows_peak;
	uint32_t ring_depth, ring_peak, ring_slots; /* packets: waiting now, at most, room */
	uint64_t records, records_dropped;
	uint32_t record_ring_peak, record_ring_bytes; /* bytes: at most, room */
};

/* Numbers of an interface that is captured, or of a savefile that is read; names as in struct
 * bpe_stats, which has the sums.  Sized. */
struct bpe_interface_stats {
	char name[256];          /* as in the options; a longer name is cut */
	uint32_t interface_id;   /* bpe_batch.interface_id of the packets; several interfaces: 0 */
	int32_t link_type;       /* LINKTYPE_*; of a savefile the first interface's */
	int32_t status;          /* BPE_OK: goes on; else BPE_E_END, or the failure that ended it */
	uint32_t interface_down; /* 1: the interface is not up */
	uint64_t read_packets, captured_bytes, wire_bytes;
	uint64_t filtered;     /* packets that the filter rejected in user space */
	uint64_t duplicates;   /* second sights, among the engine's BPE_DROP_DUPLICATE */
	uint64_t kernel_known; /* BPE_KNOWN_*: which of the next four are counted */
	uint64_t kernel_received, kernel_accepted, kernel_dropped, interface_dropped;
};

/* A line of the protocol table.  Sized. */
struct bpe_protocol {
	char name[32]; /* "tcp", "arp", "ospf", "ip-proto-254", "lldp", "ethertype-0x9000",
			* "FRELAY", "linktype-999", "llc", "damaged" */
	uint64_t packets, bytes; /* delivered packets; bytes on the wire */
};

/* ---- Writing savefiles ---- */
/* The form of a file. */
enum bpe_write_format {
	BPE_WRITE_AUTO = 0, /* a name that ends with .pcap: BPE_WRITE_PCAP, else BPE_WRITE_PCAPNG */
	BPE_WRITE_PCAPNG,
	BPE_WRITE_PCAP,   /* microseconds, a link type in all */
	BPE_WRITE_PCAP_NS /* nanoseconds */
};

/* How a file is compressed: in frames that each end with a whole packet. */
enum bpe_compression {
	BPE_COMPRESSION_AUTO = 0, /* by the name's end: .zst, .lz4, .gz; else none */
	BPE_COMPRESSION_NONE,
	BPE_COMPRESSION_ZSTD,
	BPE_COMPRESSION_LZ4,
	BPE_COMPRESSION_GZIP
};

/* What happens when a file cannot be written, for example on a full disk. */
enum bpe_write_error {
	BPE_WRITE_STOP = 0, /* the writer takes no more packets */
	BPE_WRITE_CONTINUE  /* packets are counted as unwritten; a new file begins with new room */
};

/* How files are named, if several are written. */
enum bpe_write_names {
	BPE_NAMES_OWN = 0, /* strftime(3)'s conversions and %N, the number; else _00001 is added */
	BPE_NAMES_TCPDUMP, /* the name, then with 1, 2 ... behind; with name_files 10: 0 to 9 */
	BPE_NAMES_DUMPCAP, /* NAME_00001_20240714120117.pcapng */
	BPE_NAMES_DUMPCAP_TIME /* NAME_20240714120117_00001.pcapng */
};

/* Which packets share a file when a capture is split into many files. */
enum bpe_write_split {
	BPE_SPLIT_NONE = 0,
	BPE_SPLIT_FLOW,   /* those of a flow key: both directions, and later connections of the same
			   * addresses and ports */
	BPE_SPLIT_HOST,   /* those that an address sent */
	BPE_SPLIT_PROCESS /* those of a process, where the source tells */
};

/* Why a packet that was offered was not written. */
enum bpe_unwritten {
	BPE_UNWRITTEN_FULL = 0,  /* the files are slower than the packets: memory_bytes are full */
	BPE_UNWRITTEN_ERROR,     /* a file could not be written */
	BPE_UNWRITTEN_LINK,      /* a pcap file holds a single link type, and this is another */
	BPE_UNWRITTEN_CUTOFF,    /* bpe_batch.keep is 0 (options.cutoff) */
	BPE_UNWRITTEN_DUPLICATE, /* a copy of a packet before */
	BPE_UNWRITTEN_RECORDER,  /* the flight recorder forgot the packet */
	BPE_UNWRITTEN_SPLIT,     /* there are split_files files already, and the packet's is none */
	BPE_UNWRITTEN_COUNT
};
#define BPE_UNWRITTEN_ROOM 8

/* What copies of a packet may differ in (bpe_writer_options.dedup_ns). */
enum bpe_dedup {
	BPE_DEDUP_FRAME = 0, /* Ethernet: VLAN tags, and bytes behind the IP or ARP packet */
	BPE_DEDUP_EXACT,     /* nothing */
	BPE_DEDUP_IP         /* all in front of the outermost IP header, and bytes behind it */
};

/* Flags of bpe_writer_options.anonymise. */
#define BPE_ANONYMISE_MAC                                                                          \
	0x1u /* also MAC addresses: Ethernet, cooked captures, ARP, neighbours                     \
	      */
#define BPE_ANONYMISE_CUT_PAYLOAD 0x2u /* cuts packets behind their last header */
/* Keeps no special address, and so gives the addresses of other programs with Crypto-PAn. */
#define BPE_ANONYMISE_ALL 0x4u
#define BPE_ANONYMISE_KEY_BYTES 32

/* An interface, as a file describes the interface.  Fill with bpe_write_interface_init, then change
 * members.  Strings are UTF-8; NULL: unknown.  Sized. */
struct bpe_write_interface {
	uint32_t struct_size;          /* set by bpe_write_interface_init */
	uint32_t interface_id;         /* bpe_batch.interface_id of the packets */
	int32_t link_type;             /* LINKTYPE_* (1) */
	uint32_t snaplen;              /* bytes kept of a packet; 0: all */
	const char *name;              /* "en0" */
	const char *description;       /* "Wi-Fi" */
	const char *hardware;          /* the network card's */
	const char *os;                /* the system that the interface belongs to */
	const char *filter_text;       /* the filter's expression */
	const struct bpe_insn *filter; /* the program that selected the packets; NULL: none */
	uint32_t filter_length;        /* instructions */
	uint32_t time_digits;          /* digits of a second in times: 1 to 9 (9) */
	uint64_t speed;                /* bits a second; 0: unknown */
	uint8_t mac[6];                /* filled if has_mac */
	uint8_t has_mac;
	uint8_t directions; /* 1: a packet without BPE_PKT_OUTGOING was received by the host */
};
/* Fills *interface with the defaults.  Any thread. */
BPE_INLINE void bpe_write_interface_init(struct bpe_write_interface *interface);

/* A file that is complete (bpe_writer_options.on_file).  A view in a handler; sized in the
 * program's copies. */
struct bpe_written_file {
	uint32_t size;             /* bytes of this structure that are filled (BPE_HAS) */
	int32_t status;            /* BPE_OK, or the enum bpe_status that cut the file short */
	const char *name;          /* as opened: the path with time and number filled in */
	const char *sha256;        /* 64 hexadecimal digits; NULL without options.sha256 */
	uint64_t number;           /* of the file, from 1 */
	int64_t first_ns, last_ns; /* earliest and latest packet; 0 without packets */
	uint64_t packets;
	uint64_t captured_bytes;                /* of the packets */
	uint64_t file_bytes;                    /* length of the file */
	uint64_t unwritten[BPE_UNWRITTEN_ROOM]; /* while the file was open, by enum bpe_unwritten */
	uint64_t kernel_dropped, interface_dropped; /* meanwhile, by bpe_writer_counts */
};
typedef void (*bpe_file_fn)(void *user, const struct bpe_written_file *file);
/* Returns the time in nanoseconds since 1970-01-01 UTC. */
typedef int64_t (*bpe_now_fn)(void *user);

/* Where and how packets are written.  Fill with bpe_writer_options_init, then change members.
 * Defaults in parentheses.  Strings are copied.  A file ends at the first limit that would be
 * passed, and the next begins; no file is ever written over that this writer has not made.
 * Sized. */
struct bpe_writer_options {
	uint32_t struct_size; /* set by bpe_writer_options_init */
	uint32_t format;      /* enum bpe_write_format (BPE_WRITE_AUTO) */
	/* The file's name, relative to directory.  strftime(3)'s conversions are filled in, if
	 * files rotate.  "-": standard output.  fd: an open file to write to instead (-1); path is
	 * then a name for messages, format and compression, or NULL. */
	const char *path;
	int32_t directory; /* an open directory; -1: the working directory (-1) */
	int32_t fd;
	uint32_t compression;      /* enum bpe_compression (BPE_COMPRESSION_AUTO) */
	int32_t compression_level; /* as the method's own; 0: the fastest that pays (0) */
	uint32_t snaplen;          /* bytes to write of each packet; 0: all (0) */
	uint32_t on_error;         /* enum bpe_write_error (BPE_WRITE_STOP) */
	/* Most bytes that wait for the files (64 MiB; at least 4 MiB are used).  wait: a call waits
	 * for room, as is right for savefiles; else the packet is lost (BPE_UNWRITTEN_FULL). */
	uint64_t memory_bytes;
	bool wait;
	bool no_thread;         /* the writer has no thread: calls write, and the program ticks */
	bool packet_buffered;   /* each batch goes to the file at once */
	bool ledger;            /* a line of JSON for each complete file, in PATH.jsonl */
	bool sha256;            /* the ledger and on_file tell each file's SHA-256 */
	bool hash;              /* packets with a flow get their Toeplitz hash (pcapng) */
	bool packet_clock;      /* the clock is the packets' times, as is right for savefiles */
	bool rotate_from_start; /* rotate_ns counts from the begin of each file, not by the clock */
	/* A file ends before it would exceed rotate_bytes or rotate_packets, and when the clock
	 * passes a multiple of rotate_ns.  0: no limit.  stop_files: the writer ends after so many
	 * files, and takes no more packets. */
	uint64_t rotate_bytes, rotate_packets;
	int64_t rotate_ns;
	uint64_t stop_files;
	/* The oldest of the writer's own files are removed while there are more of them than this.
	 * keep_free_percent: of the file system.  0: no limit. */
	uint64_t keep_files, keep_bytes;
	int64_t keep_ns;
	uint64_t keep_free_percent;
	int64_t sync_ns; /* files reach the disk so often; 0: when they are complete */
	const char *application, *comment, *hardware, *os; /* of the section; NULL: none */
	/* The flight recorder: the last packets stay in memory until bpe_writer_trigger.  0, 0: no
	 * recorder.  recorder_ns alone takes at most 256 MiB.  The memory is taken beside
	 * memory_bytes, and a MiB.  Not with rotate_. */
	uint64_t recorder_bytes;
	int64_t recorder_ns;
	bpe_file_fn on_file;     /* for each complete file, on the writer's thread; NULL */
	bpe_notice_fn on_notice; /* on the writer's thread, or in the calls; NULL */
	void *user;              /* for the handlers and now */
	bpe_now_fn now;          /* the clock; NULL: the system's */
	uint32_t names;          /* enum bpe_write_names (BPE_NAMES_OWN) */
	uint32_t name_files;     /* BPE_NAMES_TCPDUMP: files of a ring, for the digits; 0: none */
	/* Copies of a packet seen within dedup_ns, before or behind, or among the dedup_packets
	 * packets before, are not written (BPE_UNWRITTEN_DUPLICATE).  A copy that is dropped counts
	 * as seen.  0, 0: copies are written.  dedup: enum bpe_dedup.  At most 1,048,576 packets
	 * are remembered. */
	int64_t dedup_ns;
	uint32_t dedup_packets, dedup;
	/* Replaces IP addresses, keeping their prefixes, and mends checksums: Crypto-PAn with a key
	 * of BPE_ANONYMISE_KEY_BYTES, which is copied (NULL: addresses stay).  Files of a key fit
	 * together.  Files then have no filter, name, comment or address of an interface, no names
	 * of addresses and no comments of packets.  Payloads stay, with the names and addresses in
	 * them, unless they are cut.  anonymise: BPE_ANONYMISE_*. */
	const uint8_t *anonymise_key;
	uint64_t anonymise;
	/* Many files instead of one: path "x.pcapng" becomes "x-WORDS.pcapng" with the words of a
	 * flow, host or process.  Few of the files are open at a time.  Not with fd, "-",
	 * compression, recorder, ledger, rotate_ and keep_. */
	uint32_t split;       /* enum bpe_write_split (BPE_SPLIT_NONE) */
	uint32_t split_files; /* most files that are made (100,000) */
};
/* Fills *options with the defaults.  Any thread. */
BPE_INLINE void bpe_writer_options_init(struct bpe_writer_options *options);

/* Counters of a writer.  offered = written + the sum of unwritten + waiting.  Sized. */
struct bpe_written {
	uint64_t offered;                       /* packets given to the writer */
	uint64_t written;                       /* packets that are in files */
	uint64_t unwritten[BPE_UNWRITTEN_ROOM]; /* packets, by enum bpe_unwritten */
	uint64_t waiting;                       /* packets in memory, on their way to a file */
	uint64_t captured_bytes;  /* of the packets written, as far as they are kept */
	uint64_t file_bytes;      /* written to files, compressed if asked */
	uint64_t files;           /* files begun */
	uint64_t files_removed;   /* by keep_files and the like */
	uint64_t waits;           /* times that a call waited for room */
	uint64_t errors;          /* times that a file could not be written */
	uint64_t memory_peak;     /* most bytes that waited */
	uint64_t dedup_forgotten; /* packets forgotten too early: copies may have been written */
	/* With anonymise_key: packets without an IP or ARP header that the parser reaches, and with
	 * BPE_ANONYMISE_MAC packets of other link types, with their MAC addresses. */
	uint64_t not_anonymised, macs_kept;
};

/* Writes packets to savefiles.  A writer stands alone: packets may come from handlers of an engine,
 * from a capture or from anywhere. */
struct bpe_writer;
/* Opens a writer, and the first file.  Returns BPE_E_ARGUMENT for options that contradict each
 * other.  Returns BPE_E_UNSUPPORTED for what this build or system cannot do.  Other statuses say
 * why the file cannot be opened. */
BPE_API int bpe_writer_open(const struct bpe_writer_options *options, struct bpe_writer **writer,
	struct bpe_error *error);
/* Describes an interface before its first packet.  Of an interface that is not described, the
 * writer writes what bpe_batch_interface tells.  Returns BPE_OK; BPE_E_ARGUMENT for a wrong link
 * type or number of digits; BPE_E_STATE if a packet of the interface was offered; BPE_E_MEMORY.
 * Any thread. */
BPE_API int bpe_writer_interface(
	struct bpe_writer *writer, const struct bpe_write_interface *interface);
/* Offers packets first to first + count - 1 of a batch.  Their bytes are copied.  Returns BPE_OK;
 * BPE_E_ARGUMENT for packets that the batch does not have; BPE_E_IO after an error that stopped
 * the writer (BPE_WRITE_STOP); BPE_E_END after stop_files.  Any thread: the packets of calls do not
 * mix. */
BPE_API int bpe_writer_batch(
	struct bpe_writer *writer, const struct bpe_batch *batch, uint32_t first, uint32_t count);
/* Offers a packet of the program's own.  link_type -1 is Ethernet.  comment: UTF-8, for pcapng;
 * NULL: none.  Returns as bpe_writer_batch; BPE_E_ARGUMENT for a wrong packet;
 * BPE_E_UNSUPPORTED for set members that the library lacks.  Any thread. */
BPE_INLINE int bpe_writer_packet(
	struct bpe_writer *writer, const struct bpe_packet *packet, const char *comment);
/* Tells the counts of an interface's source, for interface statistics blocks and the ledger: now
 * and then, and before the close.  Returns BPE_OK; BPE_E_ARGUMENT for an interface without
 * packets that was not described; BPE_E_UNSUPPORTED for set members that the library lacks.  Any
 * thread. */
BPE_INLINE int bpe_writer_counts(
	struct bpe_writer *writer, uint32_t interface_id, const struct bpe_stats *stats);
/* Tells the name of an address, for name resolution blocks.  ip_version: 4 or 6; addr: network byte
 * order.  A pcap file has no place for names.  Returns BPE_OK, BPE_E_ARGUMENT or BPE_E_MEMORY.  Any
 * thread. */
BPE_API int bpe_writer_name(
	struct bpe_writer *writer, const uint8_t addr[16], uint32_t ip_version, const char *name);
/* Does what is due by the clock: hands packets on that have waited for a second, ends a file.  Only
 * a writer without a thread needs the call.  Returns as bpe_writer_batch.  Any thread. */
BPE_API int bpe_writer_tick(struct bpe_writer *writer);
/* Ends the present file and begins the next with the next packet.  Returns BPE_E_UNSUPPORTED on
 * standard output and on fd.  Any thread. */
BPE_API int bpe_writer_rotate(struct bpe_writer *writer);
/* Writes what the flight recorder has, and what comes within after_ns, to a file of its own.  A
 * call meanwhile makes the file longer.  Returns BPE_OK; BPE_E_STATE without a recorder, or before
 * the first packet of a pcap file; BPE_E_BUSY while all memory waits for the files; BPE_E_ARGUMENT
 * if after_ns is below 0; else as bpe_writer_batch.  Any thread. */
BPE_API int bpe_writer_trigger(struct bpe_writer *writer, int64_t after_ns);
/* Fills *stats with the counters.  Any thread. */
BPE_INLINE void bpe_writer_stats(struct bpe_writer *writer, struct bpe_written *stats);
/* Writes what waits, and completes the last file.  Later packets are refused (BPE_E_END), and the
 * counters are final.  Returns BPE_OK, or the first error that left packets unwritten. */
BPE_API int bpe_writer_finish(struct bpe_writer *writer, struct bpe_error *error);
/* Finishes the writer, and frees the writer in any case.  Returns as bpe_writer_finish.  NULL is
 * allowed. */
BPE_API int bpe_writer_close(struct bpe_writer *writer, struct bpe_error *error);

/* ---- Filters ---- */
/* Compiles an expression of pcap-filter(7) to classic BPF for packets of a link type
 * (LINKTYPE_*).  The last instructions of the program return snaplen (0: BPE_MAX_SNAPLEN) or 0.
 * The caller frees *program with bpe_filter_free.  Host and service names are asked of the
 * system's resolver, which may take time.  Returns BPE_E_ARGUMENT for a wrong expression; lines
 * two and three of the text show the place with carets.  Returns BPE_E_UNSUPPORTED if the link
 * type has no such filter.  Any thread. */
BPE_API int bpe_filter_compile(const char *expression, int link_type, uint32_t snaplen,
	struct bpe_insn **program, uint32_t *length, struct bpe_error *error);
/* Encapsulations that an expression may look behind. */
#define BPE_THROUGH_VLAN 0x01u   /* 802.1Q and 802.1ad tags */
#define BPE_THROUGH_MPLS 0x02u   /* MPLS labels */
#define BPE_THROUGH_PPPOE 0x04u  /* PPPoE sessions */
#define BPE_THROUGH_GRE 0x08u    /* RFC 2784, 2890 */
#define BPE_THROUGH_IPIP 0x10u   /* RFC 2003, 2473, 4213 */
#define BPE_THROUGH_VXLAN 0x20u  /* RFC 7348 */
#define BPE_THROUGH_GENEVE 0x40u /* RFC 8926 */
#define BPE_THROUGH_GTPU 0x80u   /* 3GPP TS 29.281 */
/* Up to four IPv6 extension headers (RFC 8200), beside the two encapsulations that a packet may
 * have.  Protocols, ports and tcp[...] on IPv6 then hold behind the headers. */
#define BPE_THROUGH_IPV6_EXT 0x100u

/* The direction of all packets that a program is for. */
enum bpe_way {
	BPE_WAY_NOT_TOLD = 0, /* "inbound" and "outbound" read the link header, or are an error */
	BPE_WAY_UNKNOWN, /* the source tells directions, but not of these packets: neither holds */
	BPE_WAY_IN,      /* received by the capturing host */
	BPE_WAY_OUT      /* sent by the capturing host */
};

/* Fill with bpe_filter_options_init, then change members.  Defaults in parentheses.  Sized. */
struct bpe_filter_options {
	uint32_t struct_size; /* set by bpe_filter_options_init */
	int32_t link_type;    /* LINKTYPE_* (1) */
	uint32_t snaplen;     /* 0: BPE_MAX_SNAPLEN */
	uint32_t through;     /* BPE_THROUGH_*: also matches behind up to two of these (0) */
	uint32_t netmask;     /* of the interface, for "ip broadcast", if has_netmask */
	uint8_t has_netmask;
	uint8_t unoptimized; /* keeps the tests as written, one after another */
	uint8_t no_names;    /* numbers only: the system's resolver is not asked */
	const char *kernel; /* "macos", "freebsd", "netbsd", "openbsd", "linux": a program that this
			     * system's kernel takes.  If the kernel cannot take the exact program,
			     * the result accepts more than the expression means (NULL: any length,
			     * all of classic BPF) */
	uint32_t way;       /* enum bpe_way */
	uint32_t zero;      /* 0 */
};
/* Fills *options with the defaults.  Any thread. */
BPE_INLINE void bpe_filter_options_init(struct bpe_filter_options *options);
/* Compiles as bpe_filter_compile, with all options.  Returns BPE_E_ARGUMENT also for unknown bits
 * in through.  Any thread. */
BPE_API int bpe_filter_compile_with(const char *expression,
	const struct bpe_filter_options *options, struct bpe_insn **program, uint32_t *length,
	struct bpe_error *error);
/* Frees a program.  NULL is allowed.  Any thread. */
BPE_API void bpe_filter_free(struct bpe_insn *program);
/* Describes the expression in a few lines of English: what passes, what the program costs, and
 * how options->kernel (NULL: each kernel) runs the program.  The caller frees *text with
 * bpe_filter_text_free.  Returns the errors of bpe_filter_compile_with.  Any thread. */
BPE_API int bpe_filter_explain(const char *expression, const struct bpe_filter_options *options,
	char **text, struct bpe_error *error);
/* Frees a description.  NULL is allowed.  Any thread. */
BPE_API void bpe_filter_text_free(char *text);
/* Runs a program over a packet and returns the number of bytes to keep; 0 refuses the packet.
 * The program comes from bpe_filter_compile or passed bpe_engine_open's checks.  Any thread. */
BPE_API uint32_t bpe_filter_run(
	const struct bpe_insn *program, const uint8_t *data, uint32_t wirelen, uint32_t caplen);
/* ---- Interfaces ---- */
#define BPE_IF_UP 0x1u
#define BPE_IF_RUNNING 0x2u
#define BPE_IF_LOOPBACK 0x4u
#define BPE_IF_PROMISCUOUS 0x8u

/* An address of an interface.  Frozen. */
struct bpe_address {
	uint8_t family;   /* 4 or 6 */
	uint8_t prefix;   /* length of the netmask in bits */
	uint8_t addr[16]; /* network byte order; IPv4: first 4 bytes */
};

/* An interface that can be captured on.  Sized. */
struct bpe_interface {
	char name[64];
	char description[128]; /* name of the hardware; "" if the system has none */
	uint32_t index;
	uint32_t flags;    /* BPE_IF_* */
	int32_t link_type; /* LINKTYPE_*; -1 if unknown before opening */
	uint32_t mtu;
	uint8_t mac[6];
	uint8_t has_mac;
	uint8_t address_count;
	struct bpe_address addresses[16]; /* the first 16 */
};
/* Lists the interfaces that can be captured on, by index, with "any" and "synth" last.  Needs no
 * rights.  Returns their number.  *interfaces is an array that the caller frees with
 * bpe_interfaces_free.  Any thread. */
BPE_INLINE int bpe_interfaces_list(struct bpe_interface **interfaces, struct bpe_error *error);
/* Frees a list.  NULL is allowed.  Any thread. */
BPE_API void bpe_interfaces_free(struct bpe_interface *interfaces);
/* Stores the netmask of the interface's first IPv4 address in *netmask, in host byte order, for
 * "ip broadcast" (as pcap_lookupnet of libpcap).  Returns false without such an interface or
 * address.  Needs no rights.  Any thread. */
BPE_API bool bpe_interface_netmask(const char *name, uint32_t *netmask);
/* ---- Names of numbers ---- */
/* Return a constant text, or NULL for a number without a name.  Any thread. */
BPE_API const char *bpe_link_type_name(int link_type);   /* LINKTYPE_* 1: "EN10MB" */
BPE_API const char *bpe_ip_proto_name(int ip_proto);     /* IANA's 89: "ospf" */
BPE_API const char *bpe_proto_name(int proto);           /* enum bpe_proto: "tcp", "arp" */
BPE_API const char *bpe_tcp_state_name(int state);       /* "established"; BPE_TCP_NONE: "" */
BPE_API const char *bpe_tunnel_name(int kind);           /* enum bpe_tunnel_kind: "vxlan" */
BPE_API const char *bpe_flow_end_name(int end);          /* "idle"; BPE_END_NONE: "" */
BPE_API const char *bpe_evicted_name(int evicted);       /* "half_open" */
BPE_API const char *bpe_timeout_name(int timeout);       /* "tcp-opening" */
BPE_API const char *bpe_format_name(int format);         /* "json" */
BPE_API const char *bpe_drop_name(int drop);             /* "ring_full" */
BPE_API const char *bpe_size_class_name(int size_class); /* "65-127" */
BPE_API const char *bpe_unwritten_name(int cause);       /* "writer_full" */
BPE_API const char *bpe_app_name(int app);               /* "tls"; BPE_APP_NONE: "" */
BPE_API const char *bpe_name_source_name(int source);    /* "dns"; BPE_NAME_NONE: "" */
BPE_API const char *bpe_owner_name(int owner);           /* "known" */
/* ---- Addresses and times as text ---- */
/* Each function writes a text with a final 0 and returns the length without the 0.  Returns
 * BPE_E_ARGUMENT if size is too small, or ip_version is neither 4 nor 6.  Any thread. */
#define BPE_ADDRESS_TEXT_BYTES 46 /* these always suffice */
#define BPE_ENDPOINT_TEXT_BYTES 56
#define BPE_TIME_TEXT_BYTES 40
/* Writes an address of a key, record or layer: "192.0.2.1", "2001:db8::1".  addr: network byte
 * order; IPv4 reads the first 4 bytes. */
BPE_API int bpe_address_text(const uint8_t addr[16], uint32_t ip_version, char *text, size_t size);
/* Writes an address and a port: "192.0.2.1:443", "[2001:db8::1]:443".  Port 0: the address alone,
 * for protocols without ports. */
BPE_API int bpe_endpoint_text(
	const uint8_t addr[16], uint32_t ip_version, uint16_t port, char *text, size_t size);
/* Writes a time of RFC 3339 with nanoseconds: "2026-11-29T07:42:22.000000001Z", or local time as
 * "2026-11-29T08:42:22.000000001+01:00".  time_ns: since 1970-01-01 UTC, any value.  A system that
 * does not know the local time of so early or late a second gives "+00:00". */
BPE_API int bpe_time_text(int64_t time_ns, bool utc, char *text, size_t size);

/* ---- Sizes ---- */
/* Each function below does the work of the function above that has its name without "_sized".
 * The number of bytes is the size of the caller's structure; of an array, the size of an element.
 * Programs in C and C++ call the functions above, which pass sizeof.  Bindings of other languages
 * call these, with the sizes of their own structures. */

/* The question of bpe_engine_largest_flows and bpe_capture_largest_flows, by the names of the
 * parameters.  Sized. */
struct bpe_flow_question {
	uint32_t struct_size; /* sizeof(struct bpe_flow_question) */
	uint32_t order;
	int64_t since_ns;
	struct bpe_flow *flows;
	size_t n;
	struct bpe_flow_totals *totals;
	size_t flow_bytes, totals_bytes; /* sizes of a record and of *totals */
};
BPE_API void bpe_options_init_sized(struct bpe_options *options, size_t bytes);
BPE_API void bpe_filter_options_init_sized(struct bpe_filter_options *options, size_t bytes);
BPE_API void bpe_engine_stats_sized(
	struct bpe_engine *engine, struct bpe_stats *stats, size_t bytes);
BPE_API int bpe_engine_worker_stats_sized(
	struct bpe_engine *engine, uint32_t w, struct bpe_worker_stats *stats, size_t bytes);
BPE_API size_t bpe_engine_interfaces_sized(
	struct bpe_engine *engine, struct bpe_interface_stats *list, size_t bytes, size_t max);
BPE_API size_t bpe_engine_protocols_sized(
	struct bpe_engine *engine, struct bpe_protocol *protocols, size_t bytes, size_t max);
BPE_API int bpe_engine_largest_flows_sized(struct bpe_engine *engine,
	const struct bpe_flow_question *question, struct bpe_error *error);
BPE_API int bpe_capture_next_sized(struct bpe_capture *capture, struct bpe_batch *batch,
	size_t bytes, int64_t timeout_ns, struct bpe_error *error);
BPE_API int bpe_capture_largest_flows_sized(struct bpe_capture *capture,
	const struct bpe_flow_question *question, struct bpe_error *error);
BPE_API void bpe_capture_stats_sized(
	struct bpe_capture *capture, struct bpe_stats *stats, size_t bytes);
BPE_API int bpe_batch_meta_sized(
	const struct bpe_batch *batch, uint32_t i, struct bpe_meta *meta, size_t bytes);
BPE_API int bpe_batch_flow_sized(
	const struct bpe_batch *batch, uint32_t i, struct bpe_flow *flow, size_t bytes);
BPE_API void bpe_flow_copy_sized(struct bpe_flow *copy, size_t bytes, const struct bpe_flow *flow);
BPE_API int bpe_interfaces_list_sized(
	struct bpe_interface **interfaces, size_t bytes, struct bpe_error *error);
BPE_API const struct bpe_stat *bpe_stat_list_sized(size_t stats_bytes, size_t *count);
BPE_API void bpe_packet_init_sized(struct bpe_packet *packet, size_t bytes);
BPE_API int bpe_engine_push_sized(struct bpe_engine *engine, const struct bpe_packet *packets,
	size_t packet_bytes, size_t meta_bytes, size_t n, int64_t timeout_ns,
	struct bpe_error *error);
BPE_API int bpe_capture_push_sized(struct bpe_capture *capture, const struct bpe_packet *packets,
	size_t packet_bytes, size_t meta_bytes, size_t n, struct bpe_error *error);
BPE_API int bpe_batch_interface_sized(const struct bpe_batch *batch, uint32_t i,
	struct bpe_write_interface *interface, size_t bytes);
BPE_API void bpe_writer_options_init_sized(struct bpe_writer_options *options, size_t bytes);
BPE_API void bpe_write_interface_init_sized(struct bpe_write_interface *interface, size_t bytes);
BPE_API int bpe_writer_packet_sized(struct bpe_writer *writer, const struct bpe_packet *packet,
	size_t packet_bytes, size_t meta_bytes, const char *comment);
BPE_API int bpe_writer_counts_sized(struct bpe_writer *writer, uint32_t interface_id,
	const struct bpe_stats *stats, size_t bytes);
BPE_API void bpe_writer_stats_sized(
	struct bpe_writer *writer, struct bpe_written *stats, size_t bytes);

#ifdef __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* the program may have a global `count` */
#endif

BPE_INLINE void bpe_options_init(struct bpe_options *options)
{
	bpe_options_init_sized(options, sizeof *options);
}

BPE_INLINE void bpe_filter_options_init(struct bpe_filter_options *options)
{
	bpe_filter_options_init_sized(options, sizeof *options);
}

BPE_INLINE void bpe_engine_stats(struct bpe_engine *engine, struct bpe_stats *stats)
{
	bpe_engine_stats_sized(engine, stats, sizeof *stats);
}

BPE_INLINE int bpe_engine_worker_stats(
	struct bpe_engine *engine, uint32_t w, struct bpe_worker_stats *stats)
{
	return bpe_engine_worker_stats_sized(engine, w, stats, sizeof *stats);
}

BPE_INLINE size_t bpe_engine_interfaces(
	struct bpe_engine *engine, struct bpe_interface_stats *list, size_t max)
{
	return bpe_engine_interfaces_sized(engine, list, sizeof *list, max);
}

BPE_INLINE size_t bpe_engine_protocols(
	struct bpe_engine *engine, struct bpe_protocol *protocols, size_t max)
{
	return bpe_engine_protocols_sized(engine, protocols, sizeof *protocols, max);
}

BPE_INLINE int bpe_engine_largest_flows(struct bpe_engine *engine, uint32_t order, int64_t since_ns,
	struct bpe_flow *flows, size_t n, struct bpe_flow_totals *totals, struct bpe_error *error)
{
	struct bpe_flow_question question;

	question.struct_size = sizeof question;
	question.order = order;
	question.since_ns = since_ns;
	question.flows = flows;
	question.n = n;
	question.totals = totals;
	question.flow_bytes = sizeof *flows;
	question.totals_bytes = sizeof *totals;
	return bpe_engine_largest_flows_sized(engine, &question, error);
}

BPE_INLINE int bpe_engine_top_flows(struct bpe_engine *engine, struct bpe_flow *flows, size_t n)
{
	return bpe_engine_largest_flows(engine, BPE_ORDER_BYTES, INT64_MIN, flows, n, NULL, NULL);
}

BPE_INLINE int bpe_capture_next(struct bpe_capture *capture, struct bpe_batch *batch,
	int64_t timeout_ns, struct bpe_error *error)
{
	return bpe_capture_next_sized(capture, batch, sizeof *batch, timeout_ns, error);
}

BPE_INLINE int bpe_capture_largest_flows(struct bpe_capture *capture, uint32_t order,
	int64_t since_ns, struct bpe_flow *flows, size_t n, struct bpe_flow_totals *totals,
	struct bpe_error *error)
{
	struct bpe_flow_question question;

	question.struct_size = sizeof question;
	question.order = order;
	question.since_ns = since_ns;
	question.flows = flows;
	question.n = n;
	question.totals = totals;
	question.flow_bytes = sizeof *flows;
	question.totals_bytes = sizeof *totals;
	return bpe_capture_largest_flows_sized(capture, &question, error);
}

BPE_INLINE void bpe_packet_init(struct bpe_packet *packet)
{
	bpe_packet_init_sized(packet, sizeof *packet);
}

BPE_INLINE int bpe_engine_push(struct bpe_engine *engine, const struct bpe_packet *packets,
	size_t n, int64_t timeout_ns, struct bpe_error *error)
{
	return bpe_engine_push_sized(
		engine, packets, sizeof *packets, sizeof(struct bpe_meta), n, timeout_ns, error);
}

BPE_INLINE int bpe_capture_push(struct bpe_capture *capture, const struct bpe_packet *packets,
	size_t n, struct bpe_error *error)
{
	return bpe_capture_push_sized(
		capture, packets, sizeof *packets, sizeof(struct bpe_meta), n, error);
}

BPE_INLINE void bpe_capture_stats(struct bpe_capture *capture, struct bpe_stats *stats)
{
	bpe_capture_stats_sized(capture, stats, sizeof *stats);
}

BPE_INLINE int bpe_batch_meta(const struct bpe_batch *batch, uint32_t i, struct bpe_meta *meta)
{
	return bpe_batch_meta_sized(batch, i, meta, sizeof *meta);
}

BPE_INLINE int bpe_batch_flow(const struct bpe_batch *batch, uint32_t i, struct bpe_flow *flow)
{
	return bpe_batch_flow_sized(batch, i, flow, sizeof *flow);
}

BPE_INLINE uint32_t bpe_batch_sender(const struct bpe_batch *batch, uint32_t i)
{
	return batch->layers[i].flags / BPE_PKT_REVERSED & 1;
}

BPE_INLINE void bpe_flow_copy(struct bpe_flow *copy, const struct bpe_flow *flow)
{
	bpe_flow_copy_sized(copy, sizeof *copy, flow);
}

BPE_INLINE int bpe_batch_interface(
	const struct bpe_batch *batch, uint32_t i, struct bpe_write_interface *interface)
{
	return bpe_batch_interface_sized(batch, i, interface, sizeof *interface);
}

BPE_INLINE void bpe_writer_options_init(struct bpe_writer_options *options)
{
	bpe_writer_options_init_sized(options, sizeof *options);
}

BPE_INLINE void bpe_write_interface_init(struct bpe_write_interface *interface)
{
	bpe_write_interface_init_sized(interface, sizeof *interface);
}

BPE_INLINE int bpe_writer_packet(
	struct bpe_writer *writer, const struct bpe_packet *packet, const char *comment)
{
	return bpe_writer_packet_sized(
		writer, packet, sizeof *packet, sizeof(struct bpe_meta), comment);
}

BPE_INLINE int bpe_writer_counts(
	struct bpe_writer *writer, uint32_t interface_id, const struct bpe_stats *stats)
{
	return bpe_writer_counts_sized(writer, interface_id, stats, sizeof *stats);
}

BPE_INLINE void bpe_writer_stats(struct bpe_writer *writer, struct bpe_written *stats)
{
	bpe_writer_stats_sized(writer, stats, sizeof *stats);
}

BPE_INLINE int bpe_interfaces_list(struct bpe_interface **interfaces, struct bpe_error *error)
{
	return bpe_interfaces_list_sized(interfaces, sizeof **interfaces, error);
}

BPE_INLINE const struct bpe_stat *bpe_stat_list(size_t *count)
{
	return bpe_stat_list_sized(sizeof(struct bpe_stats), count);
}

#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif
/* ---- Former names ---- */
/* Names of 0.1, for sources written then. */
#define bpe_snapshot bpe_flow_totals
#define bpe_engine_snapshot bpe_engine_largest_flows
#define bpe_engine_snapshot_flows bpe_engine_dump_flows
#define BPE_END_SNAPSHOT BPE_END_DUMPED
#define BPE_EVICTED_CROWDED BPE_EVICTED_COLLISION

#ifdef __cplusplus
}
#endif
#endif
