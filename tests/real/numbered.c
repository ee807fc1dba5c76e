/* SPDX-License-Identifier: MIT */
/* Sends numbered packets, or receives numbered packets through the engine and keeps the books.
 *
 *   numbered send WAY COUNT [RATE]     WAY: udp:ADDRESS, frames:INTERFACE, tap:PATH
 *   numbered receive COUNT [options]   -i NAME, -a ABI, -d DEVICE, -f FILTER, -B BYTES, -m MODE,
 *                                      -w WORKERS, -s MICROSECONDS (a pause after each batch)
 *
 * RATE is in packets a second; without RATE the sender goes as fast as the system allows.
 *
 * The receiver prints "ready" on stderr when the source is open, and ends with the source or with
 * SIGINT.  Then the books are printed as a JSON object.  All packets belong to the same flow: the
 * same worker sees them in their order, and the books have a single writer. */
#include "numbered.h"

#include "bpfengine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS 1000000000

/* ---- Sending ---- */

struct sender {
	int fd;
	bool datagrams; /* fd is a UDP socket: payloads go out, not frames */
	struct sockaddr_in to;
	uint8_t frame[NUMBERED_FRAME];
};

static void put_be16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* Fills a broadcast frame, IPv4 of 198.18.0.1 to 198.18.0.2 (RFC 2544), UDP without a checksum.
 * A broadcast address, since an interface may drop the frames of other addresses. */
static void fill_numbered_frame(uint8_t *frame)
{
	static const uint8_t ends[14] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0x62, 0x70, 0x66,
		0x6e, 1, 8, 0 };
	static const uint8_t addresses[8] = { 198, 18, 0, 1, 198, 18, 0, 2 };
	uint8_t *ip = frame + sizeof ends;
	uint32_t sum = 0;

	memset(frame, 0, NUMBERED_FRAME);
	memcpy(frame, ends, sizeof ends);
	ip[0] = 0x45;
	put_be16(ip + 2, NUMBERED_FRAME - sizeof ends);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, addresses, sizeof addresses);
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put_be16(ip + 10, ~(sum + (sum >> 16)));
	put_be16(ip + 20, 9009);
	put_be16(ip + 22, NUMBERED_PORT);
	put_be16(ip + 24, NUMBERED_FRAME - sizeof ends - 20);
}

/* Opens the way named by a word.  Returns 0, or -1 after a message. */
static int open_way(struct sender *s, const char *way)
{
	const char *step = "no such way";
	const char *where = strchr(way, ':');
	int fd = -EINVAL;

	memset(s, 0, sizeof *s);
	fill_numbered_frame(s->frame);
	if (where && !strncmp(way, "udp:", 4)) {
		step = "socket";
		s->datagrams = true;
		s->to.sin_family = AF_INET;
		s->to.sin_port = htons(NUMBERED_PORT);
		if (inet_pton(AF_INET, where + 1, &s->to.sin_addr) == 1)
			fd = socket(AF_INET, SOCK_DGRAM, 0);
	} else if (where && !strncmp(way, "frames:", 7)) {
		fd = numbered_wire_open(where + 1, &step);
	} else if (where && !strncmp(way, "tap:", 4)) {
		step = "open";
		fd = open(where + 1, O_RDWR);
	}
	s->fd = fd;
	if (fd >= 0)
		return 0;
	fprintf(stderr, "numbered: %s: %s: %s\n", way, step, strerror(fd == -1 ? errno : -fd));
	return -1;
}

/* Sends packet `number`.  A system without room is asked again.  Returns 0, or -1 with errno. */
static int send_numbered(struct sender *s, uint64_t number)
{
	uint8_t *payload = s->frame + NUMBERED_FRAME - 18;
	const size_t payload_bytes = NUMBERED_PAYLOAD + 2;

	numbered_put(payload, number);
	for (;;) {
		ssize_t sent;

		if (s->datagrams)
			sent = sendto(s->fd, payload, payload_bytes, 0, (struct sockaddr *)&s->to,
				sizeof s->to);
		else
			sent = write(s->fd, s->frame, NUMBERED_FRAME);
		if (sent >= 0)
			return 0;
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED)
			return -1;
		nanosleep(&(struct timespec){ 0, 100000 }, NULL);
	}
}

static int64_t read_steady_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

static int run_sender(const char *way, uint64_t count, double rate)
{
	struct sender s;
	const int64_t start = read_steady_clock();

	if (open_way(&s, way) < 0)
		return 1;
	for (uint64_t n = 0; n < count; n++) {
		while (rate > 0 &&
			(double)(read_steady_clock() - start) * rate < (double)n * SECOND_NS)
			nanosleep(&(struct timespec){ 0, 100000 }, NULL);
		if (send_numbered(&s, n) < 0) {
			fprintf(stderr, "numbered: %s: %s\n", way, strerror(errno));
			return 1;
		}
	}
	close(s.fd);
	return 0;
}

/* ---- Receiving ---- */

/* w: the flow's worker  r: main, after the run */
static struct books {
	uint64_t count; /* numbers 0 to count - 1 are expected */
	uint8_t *seen;  /* a byte for each number */
	uint64_t distinct, twice, backward, foreign, next;
	long pause_us;
} books;
static struct bpe_engine *engine;

static void enter_packet(const uint8_t *payload, uint32_t bytes)
{
	uint64_t number = UINT64_MAX;

	if (bytes >= NUMBERED_PAYLOAD && !memcmp(payload, NUMBERED_MARK, 8))
		number = numbered_get(payload);
	if (number >= books.count) {
		books.foreign++;
		return;
	}
	if (books.seen[number])
		books.twice++;
	else
		books.distinct++;
	if (number < books.next)
		books.backward++;
	books.seen[number] = 1;
	books.next = number + 1;
}

static void enter_batch(void *user, const struct bpe_batch *b)
{
	(void)user;
	for (uint32_t i = 0; i < b->count; i++) {
		const uint32_t at = b->layers[i].payload;

		if (at == BPE_NO_OFFSET || at > b->caplen[i])
			books.foreign++;
		else
			enter_packet(b->data[i] + at, b->caplen[i] - at);
	}
	if (books.pause_us)
		nanosleep(&(struct timespec){ 0, books.pause_us * 1000 }, NULL);
}

static void print_notice(void *user, const char *text)
{
	(void)user;
	fprintf(stderr, "numbered: %s\n", text);
}

static void stop_engine(int number)
{
	(void)number;
	bpe_engine_stop(engine);
}

/* Prints a count of the kernel's, or null where the source does not know the count. */
static void print_known(const char *name, const struct bpe_stats *s, uint64_t bit, uint64_t value)
{
	if (s->kernel_known & bit)
		printf(",\"%s\":%" PRIu64, name, value);
	else
		printf(",\"%s\":null", name);
}

static void print_books(const struct bpe_stats *s)
{
	printf("{\"distinct\":%" PRIu64 ",\"twice\":%" PRIu64 ",\"backward\":%" PRIu64
	       ",\"foreign\":%" PRIu64 ",\"read\":%" PRIu64 ",\"delivered\":%" PRIu64,
		books.distinct, books.twice, books.backward, books.foreign, s->read_packets,
		s->delivered_packets);
	for (int k = 0; k < BPE_DROP_COUNT; k++)
		printf(",\"%s\":%" PRIu64, bpe_drop_name(k), s->dropped[k]);
	print_known("kernel_received", s, BPE_KNOWN_RECEIVED, s->kernel_received);
	print_known("kernel_accepted", s, BPE_KNOWN_ACCEPTED, s->kernel_accepted);
	print_known("kernel_dropped", s, BPE_KNOWN_DROPPED, s->kernel_dropped);
	printf(",\"filtered\":%" PRIu64 ",\"torn\":%" PRIu64 ",\"source\":\"%s\"}\n", s->filtered,
		s->torn_blocks, bpe_engine_source(engine));
}

/* Fills the options from the words behind "receive COUNT".  Returns 0, or -1 for a wrong word. */
static int read_receiver_options(int argc, char **argv, struct bpe_options *o)
{
	int letter;

	while ((letter = getopt(argc, argv, "i:a:d:f:B:m:w:s:")) != -1) {
		switch (letter) {
		case 'i':
			o->interface_name = optarg;
			break;
		case 'a':
			o->bpf_abi = optarg;
			break;
		case 'd':
			o->bpf_device = optarg;
			break;
		case 'f':
			o->filter_expression = optarg;
			break;
		case 'B':
			o->buffer_bytes = strtoull(optarg, NULL, 10);
			break;
		case 'm':
			o->read_mode = (uint32_t)atoi(optarg);
			break;
		case 'w':
			o->workers = atoi(optarg);
			break;
		case 's':
			books.pause_us = atol(optarg);
			break;
		default:
			return -1;
		}
	}
	return optind == argc && o->interface_name ? 0 : -1;
}

static int run_receiver(struct bpe_options *o)
{
	struct bpe_error error = { 0 };
	struct bpe_stats stats;

	books.seen = calloc(books.count + 1, 1);
	o->on_batch = enter_batch;
	o->on_notice = print_notice;
	if (!books.seen || bpe_engine_open(o, &engine, &error) < 0) {
		fprintf(stderr, "numbered: %s: %s\n", error.step, error.text);
		return 1;
	}
	signal(SIGINT, stop_engine);
	fputs("ready\n", stderr);
	const int ended = bpe_engine_run(engine, 0, &error);
	bpe_engine_stats(engine, &stats);
	print_books(&stats);
	bpe_engine_close(engine);
	free(books.seen);
	if (ended < 0 && ended != BPE_E_GONE)
		fprintf(stderr, "numbered: %s\n", error.text);
	return ended < 0 && ended != BPE_E_GONE;
}

static int print_usage(void)
{
	fputs("numbered send udp:ADDRESS|frames:INTERFACE|tap:PATH COUNT [RATE]\n"
	      "numbered receive COUNT -i NAME [-a ABI] [-d DEVICE] [-f FILTER] [-B BYTES] [-m MODE]"
	      " [-w WORKERS] [-s MICROSECONDS]\n",
		stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct bpe_options options;

	if ((argc == 4 || argc == 5) && !strcmp(argv[1], "send"))
		return run_sender(
			argv[2], strtoull(argv[3], NULL, 10), argc > 4 ? atof(argv[4]) : 0);
	if (argc < 4 || strcmp(argv[1], "receive"))
		return print_usage();
	bpe_options_init(&options);
	books.count = strtoull(argv[2], NULL, 10);
	if (read_receiver_options(argc - 2, argv + 2, &options) < 0)
		return print_usage();
	return run_receiver(&options);
}
