/* SPDX-License-Identifier: MIT */
/* Sends messages over UDP, TCP and to files, against sockets of this process: order, sequence
 * numbers, greetings, and balanced books while the collector is dead, dies, stalls or returns.
 */
#include "tools/ipfix/transport.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SEQUENCE_AT = 8, MESSAGE = 1000, RECORDS = 10, PATIENCE_S = 500 };

static struct export_books books;
static struct export_sender sender;
static struct transport *transport;
static struct transport_settings settings;
static char said[64][256];
static uint32_t said_count;
static uint64_t offered;

void export_say(struct export_sender *from, const char *format, ...)
{
	va_list args;

	(void)from;
	va_start(args, format);
	vsnprintf(said[said_count % 64], sizeof *said, format, args);
	va_end(args);
	said_count++;
}

static bool was_said(const char *part)
{
	for (uint32_t k = 0; k < said_count && k < 64; k++)
		if (strstr(said[k], part))
			return true;
	return false;
}

static int64_t tell_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Makes a socket of this process; *port: 0 for a free port, which is then told. */
static int bind_socket(int kind, uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(*port) };
	socklen_t n = sizeof at;
	const int fd = socket(AF_INET, kind, 0);
	const int one = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_geq(fd, 0);
	cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0, "%s", strerror(errno));
	if (kind == SOCK_STREAM)
		cr_assert_eq(listen(fd, 4), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	*port = ntohs(at.sin_port);
	cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void open_transport(enum transport_kind kind, uint16_t port)
{
	static const uint8_t greeting[64] = "templates";

	settings.kind = kind;
	settings.port = port;
	settings.message_most = MESSAGE;
	settings.sequence_at = SEQUENCE_AT;
	if (!*settings.host)
		snprintf(settings.host, sizeof settings.host, "127.0.0.1");
	if (!settings.timeout_ms)
		settings.timeout_ms = 300000;
	sender.books = &books;
	transport = transport_make(&settings, &sender);
	cr_assert(transport, "%s", sender.why);
	cr_assert_eq(transport_greeting_add(transport, greeting, sizeof greeting, 0), 0);
	cr_assert_eq(transport_open(transport, 0), 0, "%s", sender.why);
}

/* Puts messages while there is room.  The last 4 bytes of each are the message's number. */
static uint32_t put_messages(uint32_t first, uint32_t count)
{
	uint32_t k = 0;

	for (; k < count; k++) {
		uint8_t *const room = transport_room(transport);
		const uint32_t number = first + k;

		if (!room)
			break;
		memset(room, 0x5a, MESSAGE);
		memcpy(room + MESSAGE - 4, &number, 4);
		transport_put(transport, MESSAGE, RECORDS, RECORDS);
		offered += RECORDS;
	}
	return k;
}

static void work_once(void)
{
	int ms = transport_work(transport, tell_ns());

	if (ms > 5)
		ms = 5;
	if (poll(sender.polled, sender.polled_count, ms) <= 0)
		for (uint32_t k = 0; k < sender.polled_count; k++)
			sender.polled[k].revents = 0;
}

static uint32_t sequence_of(const uint8_t *message)
{
	uint32_t value;

	memcpy(&value, message + SEQUENCE_AT, 4);
	return ntohl(value);
}

static uint32_t read_mark(const uint8_t *message)
{
	uint32_t value;

	memcpy(&value, message + MESSAGE - 4, 4);
	return value;
}

/* Takes the waiting datagrams.  Returns the number of messages so far; greetings count apart. */
static uint32_t take_datagrams(int fd, uint32_t *greetings, uint32_t expected)
{
	uint8_t bytes[2048];
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0) {
		if (n == 64) {
			cr_assert_eq(memcmp(bytes, "templates", 8), 0);
			++*greetings;
			continue;
		}
		cr_assert_eq(n, MESSAGE);
		cr_assert_eq(read_mark(bytes), expected);
		cr_assert_eq(sequence_of(bytes), expected * RECORDS);
		expected++;
	}
	return expected;
}

/* Ends the transport.  The books balance. */
static void finish_transport(int seconds)
{
	transport_finish(transport, tell_ns() + seconds * 1000000000ll);
	cr_assert_eq(books.sent + books.failed, offered, "%lu sent, %lu failed, %lu offered",
		(unsigned long)books.sent, (unsigned long)books.failed, (unsigned long)offered);
	transport_close(transport);
}

Test(transport, udp_in_order)
{
	uint16_t port = 0;
	const int fd = bind_socket(SOCK_DGRAM, &port);
	const int64_t until_ns = tell_ns() + PATIENCE_S * 1000000000ll;
	uint32_t put = 0, seen = 0, greetings = 0;

	open_transport(TRANSPORT_UDP, port);
	while (seen < 500) {
		put += put_messages(put, put < 500 && put - seen < 40 ? 10 : 0);
		work_once();
		seen = take_datagrams(fd, &greetings, seen);
		cr_assert_lt(tell_ns(), until_ns);
	}
	cr_assert_eq(greetings, 1);
	finish_transport(60);
	cr_assert_eq(books.sent, put * RECORDS);
	cr_assert_eq(books.messages, put + 1); /* the greeting, too */
	cr_assert_eq(books.bytes, put * MESSAGE + 64);
	cr_assert_eq(said_count, 0);
	close(fd);
}

/* Begins with a dead collector, which costs no record and is told once. */
Test(transport, udp_dead_at_first)
{
	uint16_t port = 0;
	const int64_t until_ns = tell_ns() + PATIENCE_S * 1000000000ll;
	uint32_t seen = 0, greetings = 0;
	int fd = bind_socket(SOCK_DGRAM, &port);

	close(fd);
	open_transport(TRANSPORT_UDP, port);
	put_messages(0, 20);
	while (!said_count) {
		work_once();
		cr_assert_lt(tell_ns(), until_ns);
	}
	cr_assert(was_said("trying again"), "%s", said[0]);
	cr_assert_eq(books.is_connected, 0);
	cr_assert_eq(books.sent + books.failed, 0);
	fd = bind_socket(SOCK_DGRAM, &port);
	while (seen < 20) {
		work_once();
		seen = take_datagrams(fd, &greetings, seen);
		cr_assert_lt(tell_ns(), until_ns);
	}
	cr_assert_eq(said_count, 2);
	cr_assert(was_said("answers"));
	finish_transport(60);
	cr_assert_eq(books.failed, 0);
	close(fd);
}

/* Lets the collector die in mid-run: each record is sent or failed. */
Test(transport, udp_dies)
{
	uint16_t port = 0;
	const int fd = bind_socket(SOCK_DGRAM, &port);
	const int64_t until_ns = tell_ns() + PATIENCE_S * 1000000000ll;
	uint32_t put, seen = 0, greetings = 0;

	open_transport(TRANSPORT_UDP, port);
	put = put_messages(0, 20);
	while (seen < 20) {
		work_once();
		seen = take_datagrams(fd, &greetings, seen);
		cr_assert_lt(tell_ns(), until_ns);
	}
	while (books.sent < 20 * RECORDS) {
		work_once();
		cr_assert_lt(tell_ns(), until_ns);
	}
	close(fd);
	put += put_messages(put, 30);
	while (!said_count) {
		work_once();
		cr_assert_lt(tell_ns(), until_ns);
	}
	finish_transport(0);
	cr_assert_eq(books.sent, 20 * RECORDS);
	cr_assert_eq(books.failed, (put - 20) * RECORDS);
}

Test(transport, udp_rate)
{
	uint16_t port = 0;
	const int fd = bind_socket(SOCK_DGRAM, &port);
	const int64_t begun_ns = tell_ns();
	const int64_t until_ns = begun_ns + PATIENCE_S * 1000000000ll;
	uint32_t seen = 0, greetings = 0;

	settings.rate = 2000;
	open_transport(TRANSPORT_UDP, port);
	put_messages(0, 100); /* 1,000 records: half a second */
	while (seen < 100) {
		work_once();
		seen = take_datagrams(fd, &greetings, seen);
		cr_assert_lt(tell_ns(), until_ns);
	}
	cr_assert_gt(tell_ns() - begun_ns, 400000000);
	finish_transport(60);
	close(fd);
}

/* Reads a whole number of messages of a connection.  Returns false at the end. */
static bool take_stream(int fd, uint8_t *bytes, uint32_t whole, const int64_t until_ns)
{
	uint32_t n = 0;

	while (n < whole) {
		const ssize_t k = recv(fd, bytes + n, whole - n, 0);

		cr_assert_lt(tell_ns(), until_ns);
		if (!k)
			return false;
		if (k > 0)
			n += (uint32_t)k;
		else
			work_once();
	}
	return true;
}

static int accept_stream(int listener, const int64_t until_ns)
{
	int fd;

	while ((fd = accept(listener, NULL, NULL)) < 0) {
		cr_assert_lt(tell_ns(), until_ns);
		work_once();
	}
	cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

Test(transport, tcp_in_order)
{
	uint16_t port = 0;
	const int listener = bind_socket(SOCK_STREAM, &port);
	const int64_t until_ns = tell_ns() + PATIENCE_S * 1000000000ll;
	uint8_t bytes[MESSAGE];
	uint32_t put = 0;

	open_transport(TRANSPORT_TCP, port);
	const int fd = accept_stream(listener, until_ns);

	cr_assert(take_stream(fd, bytes, 64, until_ns));
	cr_assert_eq(memcmp(bytes, "templates", 8), 0);
	for (uint32_t k = 0; k < 2000; k++) {
		put += put_messages(put, put < 2000 ? 100 : 0);
		cr_assert(take_stream(fd, bytes, MESSAGE, until_ns));
		cr_assert_eq(read_mark(bytes), k);
		cr_assert_eq(sequence_of(bytes), k * RECORDS);
	}
	finish_transport(60);
	cr_assert_eq(books.sent, offered - (put - 2000) * RECORDS + (put - 2000) * RECORDS);
	cr_assert_eq(books.failed, 0);
	close(fd);
	close(listener);
}

/* Lets the collector die and return: the next connection has the greeting and all records that
 * wait, with sequence numbers from 0, and each record is sent once. */
Test(transport, tcp_dies_and_returns)
{
	uint16_t port = 0;
	const int listener = bind_socket(SOCK_STREAM, &port);
	const int64_t until_ns = tell_ns() + PATIENCE_S * 1000000000ll;
	uint8_t bytes[MESSAGE];

	open_transport(TRANSPORT_TCP, port);
	int fd = accept_stream(listener, until_ns);

	put_messages(0, 10);
	cr_assert(take_stream(fd, bytes, 64, until_ns));
	for (uint32_t k = 0; k < 10; k++)
		cr_assert(take_stream(fd, bytes, MESSAGE, until_ns));
	while (books.sent < 10 * RECORDS) {
		work_once();
		cr_assert_lt(tell_ns(), until_ns);
	}
	close(fd);
	while (books.is_connected) {
		work_once();
		cr_assert_lt(tell_ns(), until_ns);
	}
	cr_assert(was_said("closed the connection"), "%s", said[0]);
	put_messages(10, 50);
	fd = accept_stream(listener, until_ns);
	cr_assert(take_stream(fd, bytes, 64, until_ns));
	cr_assert_eq(memcmp(bytes, "templates", 8), 0);
	for (uint32_t k = 0; k < 50; k++) {
		cr_assert(take_stream(fd, bytes, MESSAGE, until_ns));
		cr_assert_eq(read_mark(bytes), 10 + k);
		cr_assert_eq(sequence_of(bytes), k * RECORDS);
	}
	finish_transport(60);
	cr_assert_eq(books.failed, 0);
	cr_assert_eq(books.connects, 2);
	close(fd);
	close(listener);
}

/* Accepts and never reads: the queue stays bounded, the connection is given up, and the books
 * balance. */
Test(transport, tcp_stalls)
{
	uint16_t port = 0;
	const int listener = bind_socket(SOCK_STREAM, &port);
	const int64_t until_ns = tell_ns() + PATIENCE_S * 1000000000ll;
	uint32_t put = 0;

	settings.timeout_ms = 300;
	open_transport(TRANSPORT_TCP, port);
	const int fd = accept_stream(listener, until_ns);

	while (!was_said("took nothing")) {
		put += put_messages(put, 128);
		cr_assert(put < 1000000);
		work_once();
		cr_assert_lt(tell_ns(), until_ns);
	}
	cr_assert_eq(books.is_connected, 0);
	cr_assert_gt(put * RECORDS, books.sent);
	cr_assert_leq(put - books.sent / RECORDS, 128u);
	close(fd);
	close(listener);
	finish_transport(1);
	cr_assert_gt(books.failed, 0);
}

Test(transport, name_without_address)
{
	const int64_t until_ns = tell_ns() + PATIENCE_S * 1000000000ll;

	snprintf(settings.host, sizeof settings.host, "collector.invalid");
	open_transport(TRANSPORT_TCP, 4739);
	put_messages(0, 3);
	while (!was_said("does not resolve")) {
		work_once();
		cr_assert_lt(tell_ns(), until_ns);
	}
	cr_assert_eq(said_count, 1);
	finish_transport(0);
	cr_assert_eq(books.failed, 3 * RECORDS);
}

/* ---- Files ---- */

static char path[] = "/tmp/bpe-transport-XXXXXX";

static void open_file_transport(void)
{
	const int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
	settings.path = path;
	open_transport(TRANSPORT_FILE, 0);
}

static off_t file_length(void)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	return st.st_size;
}

Test(transport, file_is_whole_after_a_dead_sender)
{
	open_file_transport();
	put_messages(0, 7);
	work_once();
	cr_assert_eq(file_length(), 64 + 7 * MESSAGE);
	const int fd = open(path, O_WRONLY | O_APPEND);

	cr_assert_eq(write(fd, "torn", 4), 4); /* of a dead sender */
	close(fd);
	cr_assert_eq(transport_open(transport, 70), 0);
	cr_assert_eq(file_length(), 64 + 7 * MESSAGE);
	put_messages(7, 1);
	finish_transport(10);
	cr_assert_eq(file_length(), 64 + 8 * MESSAGE);
	cr_assert_eq(books.failed, 0);
	unlink(path);
}

Test(transport, file_without_room)
{
	const struct rlimit limit = { 64 + 3 * MESSAGE + 100, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	open_file_transport();
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	put_messages(0, 10);
	finish_transport(10);
	cr_assert_eq(file_length(), 64 + 3 * MESSAGE);
	cr_assert_eq(books.sent, 3 * RECORDS);
	cr_assert_eq(books.failed, 7 * RECORDS);
	cr_assert(was_said("records are lost"), "%s", said[0]);
	unlink(path);
}
