/* SPDX-License-Identifier: MIT */
/* Messages over TCP and TLS (transport.h).
 *
 * A connection begins with the greeting, and with sequence number 0 (RFC 7011, 3.1).  A message
 * stays in the queue until the other system has confirmed all bytes.  A connection without progress
 * for the time-out counts as dead, and is reset: the other end then drops unread bytes. */
#include "transport_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

enum {
	CONNECT_MOST_MS = 5000, /* less if the time-out is less */
	LOOK_MS = 5,            /* between looks at what is confirmed */
	KEEP_ALIVE_S = 15,
	WRITES_A_TURN = 128 /* a sender does other work, too */
};

/* ---- Connecting ---- */

/* Finds half-open connections: by probes while idle, by the time-out while bytes wait. */
static void set_keep_alive(const struct transport *t)
{
	int value = 1;

	setsockopt(t->fd, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value);
	setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value);
	value = KEEP_ALIVE_S;
#if defined TCP_KEEPIDLE
	setsockopt(t->fd, IPPROTO_TCP, TCP_KEEPIDLE, &value, sizeof value);
#elif defined TCP_KEEPALIVE
	setsockopt(t->fd, IPPROTO_TCP, TCP_KEEPALIVE, &value, sizeof value);
#endif
#ifdef TCP_KEEPINTVL
	setsockopt(t->fd, IPPROTO_TCP, TCP_KEEPINTVL, &value, sizeof value);
#endif
#ifdef TCP_KEEPCNT
	value = 3;
	setsockopt(t->fd, IPPROTO_TCP, TCP_KEEPCNT, &value, sizeof value);
#endif
#ifdef TCP_USER_TIMEOUT
	value = (int)t->settings.timeout_ms;
	setsockopt(t->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, sizeof value);
#endif
}

void transport_stream_reset(struct transport *t)
{
	if (t->settings.kind == TRANSPORT_TLS)
		transport_tls_reset(t);
	void *const tls = t->stream.tls; /* the settings of TLS outlive a connection */

	memset(&t->stream, 0, sizeof t->stream);
	t->stream.tls = tls;
	for (uint64_t k = t->head; k != t->tail; k++)
		transport_slot(t, k)->is_stamped = false;
	t->next = t->head;
}

/* Ends a connection that failed. */
static void break_stream(struct transport *t, int64_t now_ns, const char *why)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	transport_stream_reset(t);
	if (t->fd >= 0)
		setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	transport_set_down(t, now_ns, why);
}

static void begin_connect(struct transport *t, int64_t now_ns, uint32_t address)
{
	const struct sockaddr *const to = (const struct sockaddr *)&t->found.addresses[address];
	const uint32_t most =
		t->settings.timeout_ms < CONNECT_MOST_MS ? t->settings.timeout_ms : CONNECT_MOST_MS;

	signal(SIGPIPE, SIG_IGN); /* write(2) and the TLS library tell by EPIPE */
	transport_stream_reset(t);
	t->fd = transport_socket(t, address);
	if (t->fd < 0) {
		transport_set_down(t, now_ns, strerror(errno));
		return;
	}
	set_keep_alive(t);
	if (connect(t->fd, to, t->found.lengths[address]) && errno != EINPROGRESS &&
		errno != EINTR) {
		break_stream(t, now_ns, strerror(errno));
		return;
	}
	t->state = TRANSPORT_CONNECTS;
	t->until_ns = now_ns + (int64_t)most * NS_A_MS;
	transport_watch(t, POLLOUT);
}

static void greet_collector(struct transport *t, int64_t now_ns)
{
	t->sequence = 0;
	t->stream.progress_ns = now_ns;
	transport_set_up(t);
}

/* Sees whether the connection stands. */
static void watch_connect(struct transport *t, int64_t now_ns)
{
	struct pollfd p = { .fd = t->fd, .events = POLLOUT };
	int failed = 0;
	socklen_t n = sizeof failed;
	char why[160];

	if (poll(&p, 1, 0) <= 0) {
		if (now_ns >= t->until_ns)
			break_stream(t, now_ns, "no answer to the connection");
		return;
	}
	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &failed, &n) || failed) {
		break_stream(t, now_ns, strerror(failed ? failed : errno));
		return;
	}
	if (t->settings.kind != TRANSPORT_TLS) {
		greet_collector(t, now_ns);
		return;
	}
	if (transport_tls_begin(t, why, sizeof why) < 0) {
		break_stream(t, now_ns, why);
		return;
	}
	t->state = TRANSPORT_SHAKES;
}

/* Goes on with the handshake of TLS. */
static void watch_handshake(struct transport *t, int64_t now_ns)
{
	char why[200];
	const int done = transport_tls_shake(t, why, sizeof why);

	if (done < 0)
		break_stream(t, now_ns, why);
	else if (done)
		greet_collector(t, now_ns);
	else if (now_ns >= t->until_ns)
		break_stream(t, now_ns, "no answer to the handshake of TLS");
	else
		transport_watch(t, (short)(t->stream.wants_write ? POLLOUT : POLLIN));
}

/* ---- Confirmations ---- */

/* Returns the bytes that the other system has not confirmed, as far as this system can tell. */
static uint64_t count_unconfirmed(const struct transport *t)
{
	int n = 0;

#if defined __linux__
	if (ioctl(t->fd, SIOCOUTQ, &n) < 0)
		n = 0;
#elif defined SO_NWRITE
	socklen_t size = sizeof n;

	if (getsockopt(t->fd, SOL_SOCKET, SO_NWRITE, &n, &size))
		n = 0;
#elif defined FIONWRITE
	if (ioctl(t->fd, FIONWRITE, &n) < 0)
		n = 0;
#endif
	(void)t;
	return n > 0 ? (uint64_t)n : 0;
}

/* Returns the bytes that were handed to the socket. */
static uint64_t count_handed(const struct transport *t)
{
	return t->settings.kind == TRANSPORT_TLS ? transport_tls_written(t) : t->stream.written;
}

/* Counts confirmed messages as sent. */
static void settle_stream(struct transport *t, int64_t now_ns)
{
	struct export_books *const books = t->sender->books;
	const uint64_t unconfirmed = count_unconfirmed(t);
	const uint64_t written = count_handed(t);
	const uint64_t confirmed = written > unconfirmed ? written - unconfirmed : 0;

	if (confirmed > t->stream.confirmed) {
		t->stream.confirmed = confirmed;
		t->stream.progress_ns = now_ns;
		t->pause_ms = TRANSPORT_PAUSE_LEAST_MS;
	}
	while (t->head != t->next) {
		const struct transport_slot *const s = transport_slot(t, t->head);

		if (s->mark > t->stream.confirmed)
			break;
		export_add(&books->sent, s->flows);
		export_add(&books->messages, 1);
		export_add(&books->bytes, s->bytes);
		t->head++;
	}
	if (t->head == t->tail)
		t->stream.progress_ns = now_ns;
}

/* ---- Writing ---- */

/* Hands bytes to the connection.  Returns how many were taken, 0: none now, -1 with why. */
static int write_stream(
	struct transport *t, const uint8_t *bytes, uint32_t n, char *why, size_t room)
{
	if (t->settings.kind == TRANSPORT_TLS)
		return transport_tls_write(t, bytes, n, why, room);
	const ssize_t written = write(t->fd, bytes, n);

	if (written >= 0)
		return (int)written;
	t->stream.wants_write = true;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR)
		return 0;
	snprintf(why, room, "%s", strerror(errno));
	return -1;
}

/* Sends the next part of the greeting or of the queue.  Returns 1 if more may follow, 0 if not now,
 * -1 with why. */
static int write_message(struct transport *t, char *why, size_t room)
{
	struct transport_stream *const s = &t->stream;
	const bool greets = s->greeting_at < t->greeting_count;
	struct transport_greeting *const g = greets ? &t->greetings[s->greeting_at] : NULL;
	struct transport_slot *const slot = greets ? NULL : transport_slot(t, t->next);
	uint8_t *const bytes = greets ? g->bytes : transport_bytes(t, t->next);
	const uint32_t whole = greets ? g->count : slot->bytes;

	if (greets && !s->offset)
		transport_stamp(t, bytes, g->records);
	if (!greets && !slot->is_stamped) {
		transport_stamp(t, bytes, slot->records);
		slot->is_stamped = true;
	}
	const int n = write_stream(t, bytes + s->offset, whole - s->offset, why, room);

	if (n <= 0)
		return n;
	s->offset += (uint32_t)n;
	s->written += (uint32_t)n;
	if (s->offset < whole)
		return 1;
	s->offset = 0;
	if (greets) {
		s->greeting_at++;
		return 1;
	}
	slot->mark = count_handed(t);
	t->next++;
	return 1;
}

/* Reads and drops the collector's words.  Returns whether the connection stands, else why. */
static bool drain_stream(struct transport *t, char *why, size_t room)
{
	char bytes[2048];

	if (t->settings.kind == TRANSPORT_TLS)
		return transport_tls_drain(t, why, room) > 0;
	for (int k = 0; k < 16; k++) {
		const ssize_t n = recv(t->fd, bytes, sizeof bytes, 0);

		if (n > 0)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return true;
		snprintf(why, room, "%s",
			n < 0 ? strerror(errno) : "the collector closed the connection");
		return false;
	}
	return true;
}

/* Sends as much as the connection takes.  Returns ms until the next call. */
static int send_stream(struct transport *t, int64_t now_ns)
{
	char why[200] = "";
	int more = 1;

	if (!drain_stream(t, why, sizeof why)) {
		break_stream(t, now_ns, why);
		return 0;
	}
	t->stream.wants_write = false;
	for (int k = 0; more > 0 && k < WRITES_A_TURN; k++) {
		if (t->stream.greeting_at == t->greeting_count && t->next == t->tail)
			break;
		more = write_message(t, why, sizeof why);
	}
	if (more < 0) {
		break_stream(t, now_ns, why);
		return 0;
	}
	settle_stream(t, now_ns);
	if (now_ns - t->stream.progress_ns > (int64_t)t->settings.timeout_ms * NS_A_MS) {
		snprintf(why, sizeof why, "the collector took nothing for %u ms",
			t->settings.timeout_ms);
		break_stream(t, now_ns, why);
		return 0;
	}
	transport_watch(t, (short)(t->stream.wants_write ? POLLIN | POLLOUT : POLLIN));
	if (more > 0 && t->next != t->tail)
		return 0;
	return t->head != t->tail ? LOOK_MS : 1000;
}

int transport_stream_work(struct transport *t, int64_t now_ns)
{
	uint32_t address;

	if (t->state == TRANSPORT_PAUSES || t->state == TRANSPORT_RESOLVES) {
		if (!transport_next_address(t, now_ns, &address))
			return 20;
		begin_connect(t, now_ns, address);
	}
	if (t->state == TRANSPORT_CONNECTS)
		watch_connect(t, now_ns);
	if (t->state == TRANSPORT_SHAKES)
		watch_handshake(t, now_ns);
	if (t->state == TRANSPORT_IS_UP)
		return send_stream(t, now_ns);
	return 20;
}

void transport_stream_end(struct transport *t)
{
	if (t->state == TRANSPORT_IS_UP && t->head == t->tail) {
		if (t->settings.kind == TRANSPORT_TLS)
			transport_tls_end(t);
		shutdown(t->fd, SHUT_WR);
	}
	transport_stream_reset(t);
}
