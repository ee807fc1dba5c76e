/* SPDX-License-Identifier: MIT */
/* Messages as datagrams (transport.h).
 *
 * A system tells of a closed port or of a host out of reach by an error of a later call.  So
 * datagrams that left within UDP_DOUBT_MS before the error count as failed.  Linux swallows the
 * error if sendmmsg(2) has sent another datagram; the socket's queue of errors tells all the same.
 */
#include "transport_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/errqueue.h>
#endif

#define UDP_DOUBT_MS 30
#define UDP_BATCH 32
#define UDP_BUFFER (4 << 20)
#define UDP_BURST_MS 2 /* of a limited rate */
#define UDP_HEADERS_4 28
#define UDP_HEADERS_6 48

/* Errors of the socket. */
struct udp_errors {
	int refused; /* an errno; 0: nothing */
	bool is_too_big;
};

/* ---- Books ---- */

/* Counts datagrams as sent. */
static void settle_doubt(struct transport *t, const struct transport_doubt *d)
{
	struct export_books *const books = t->sender->books;

	export_add(&books->sent, d->flows);
	export_add(&books->messages, d->messages);
	export_add(&books->bytes, d->bytes);
}

/* Counts datagrams in doubt as failed. */
static void fail_doubts(struct transport *t)
{
	export_add(&t->sender->books->failed, t->udp.young.flows + t->udp.old.flows);
	memset(&t->udp.young, 0, sizeof t->udp.young);
	memset(&t->udp.old, 0, sizeof t->udp.old);
}

bool transport_udp_settle(struct transport *t, int64_t now_ns)
{
	struct transport_udp *const u = &t->udp;

	if (now_ns - u->turned_ns >= UDP_DOUBT_MS * NS_A_MS) {
		settle_doubt(t, &u->old);
		if (u->old.messages && t->fd >= 0) {
			u->is_proven = true;
			t->pause_ms = TRANSPORT_PAUSE_LEAST_MS;
		}
		u->old = u->young;
		memset(&u->young, 0, sizeof u->young);
		u->turned_ns = now_ns;
	}
	return !u->old.messages && !u->young.messages;
}

void transport_udp_end(struct transport *t)
{
	settle_doubt(t, &t->udp.old);
	settle_doubt(t, &t->udp.young);
	memset(&t->udp.young, 0, sizeof t->udp.young);
	memset(&t->udp.old, 0, sizeof t->udp.old);
}

/* ---- The socket ---- */

/* Forbids or allows routers and this system to cut datagrams. */
static void forbid_fragments(struct transport *t, bool forbids)
{
	const bool is_6 = t->found.addresses[t->address_at].ss_family == AF_INET6;
	int value = forbids;

	if (is_6) {
#if defined IPV6_MTU_DISCOVER
		value = forbids ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_DONT;
		setsockopt(t->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &value, sizeof value);
#elif defined IPV6_DONTFRAG
		setsockopt(t->fd, IPPROTO_IPV6, IPV6_DONTFRAG, &value, sizeof value);
#endif
		return;
	}
#if defined IP_MTU_DISCOVER
	value = forbids ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;
	setsockopt(t->fd, IPPROTO_IP, IP_MTU_DISCOVER, &value, sizeof value);
#elif defined IP_DONTFRAG
	setsockopt(t->fd, IPPROTO_IP, IP_DONTFRAG, &value, sizeof value);
#endif
	(void)value;
}

/* Asks for the queue of errors, and for ENOBUFS where the interface has no room. */
static void ask_errors(const struct transport *t)
{
#ifdef __linux__
	const int one = 1;

	if (t->found.addresses[t->address_at].ss_family == AF_INET6)
		setsockopt(t->fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof one);
	else
		setsockopt(t->fd, IPPROTO_IP, IP_RECVERR, &one, sizeof one);
#else
	(void)t;
#endif
}

/* Learns how much the path takes.  Waiting messages may be cut. */
static void learn_path(struct transport *t)
{
	const bool is_6 = t->found.addresses[t->address_at].ss_family == AF_INET6;
	const uint32_t headers = is_6 ? UDP_HEADERS_6 : UDP_HEADERS_4;
	int mtu = 0;

#ifdef IP_MTU
	socklen_t n = sizeof mtu;

	if (is_6 ? getsockopt(t->fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &n)
		 : getsockopt(t->fd, IPPROTO_IP, IP_MTU, &mtu, &n))
		mtu = 0;
#endif
	uint32_t limit = TRANSPORT_MTU_LEAST;

	if (mtu > (int)(TRANSPORT_MTU_LEAST + headers))
		limit = (uint32_t)mtu - headers;
	t->udp.path_limit = limit;
	/* waiting messages, and the message in the sink's hands */
	t->udp.cut_until = t->tail + 1;
	if (mtu && mtu < (int)(TRANSPORT_MTU_LEAST + headers))
		t->udp.cut_until = UINT64_MAX;
	forbid_fragments(t, false);
	export_say(t->sender, "%s: the path takes %u bytes a datagram; messages are made smaller",
		t->settings.host, limit);
}

/* Opens the socket, and sends the greeting, which a dead collector's system refuses. */
static void open_datagrams(struct transport *t, int64_t now_ns, uint32_t address)
{
	const int size = UDP_BUFFER;
	const struct sockaddr *const to = (const struct sockaddr *)&t->found.addresses[address];

	t->fd = transport_socket(t, address);
	if (t->fd < 0 || connect(t->fd, to, t->found.lengths[address])) {
		transport_set_down(t, now_ns, strerror(errno));
		return;
	}
	setsockopt(t->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	forbid_fragments(t, t->udp.cut_until != UINT64_MAX);
	ask_errors(t);
	transport_watch(t, 0);
	for (uint32_t k = 0; k < t->greeting_count; k++) {
		struct transport_greeting *const g = &t->greetings[k];

		transport_stamp(t, g->bytes, g->records);
		if (send(t->fd, g->bytes, g->count, 0) < 0 && errno != EAGAIN && errno != ENOBUFS) {
			transport_set_down(t, now_ns, strerror(errno));
			return;
		}
		t->udp.young.messages++;
		t->udp.young.bytes += g->count;
	}
	t->state = TRANSPORT_CONNECTS;
	t->udp.is_proven = t->greeting_count;
	t->until_ns = now_ns + (t->greeting_count ? UDP_DOUBT_MS * NS_A_MS : 0);
}

/* ---- Errors ---- */

/* Sorts an error of the socket. */
static void sort_error(struct udp_errors *e, int number)
{
	if (number == EMSGSIZE)
		e->is_too_big = true;
	else if (number && number != EAGAIN && number != EWOULDBLOCK && number != ENOBUFS &&
		 number != EINTR && number != ENOMEM)
		e->refused = number;
}

/* Takes the errors at the socket. */
static void take_errors(const struct transport *t, struct udp_errors *e)
{
	int number = 0;
	socklen_t n = sizeof number;

#ifdef __linux__
	for (int k = 0; k < 256; k++) {
		char control[256], byte[1];
		struct iovec part = { byte, sizeof byte };
		struct msghdr m = { .msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof control };

		if (recvmsg(t->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			break;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
			struct sock_extended_err error;

			if (c->cmsg_len < CMSG_LEN(sizeof error) ||
				(c->cmsg_type != IP_RECVERR && c->cmsg_type != IPV6_RECVERR))
				continue;
			memcpy(&error, CMSG_DATA(c), sizeof error);
			sort_error(e, (int)error.ee_errno);
		}
	}
#endif
	if (!getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &number, &n))
		sort_error(e, number);
}

/* Drops a message, too large for the system even in fragments. */
static void drop_message(struct transport *t)
{
	export_add(&t->sender->books->failed, transport_slot(t, t->next)->flows);
	t->head = ++t->next;
}

/* Acts on errors.  Returns whether the socket is still open. */
static bool obey_errors(struct transport *t, const struct udp_errors *e, int64_t now_ns)
{
	if (e->is_too_big && t->udp.cut_until && t->next != t->tail)
		drop_message(t);
	else if (e->is_too_big)
		learn_path(t);
	if (!e->refused)
		return true;
	fail_doubts(t);
	transport_set_down(t, now_ns, strerror(e->refused));
	return false;
}

/* ---- Sending ---- */

/* Returns how many messages may leave now: of the waiting messages, at most a batch, within the
 * rate. */
static uint32_t count_allowed(struct transport *t, int64_t now_ns)
{
	struct transport_udp *const u = &t->udp;
	const double rate = (double)t->settings.rate;
	const uint64_t waits = t->tail - t->next;
	uint32_t n = waits < UDP_BATCH ? (uint32_t)waits : UDP_BATCH;

	if (!u->is_proven && n > 1)
		n = 1; /* NetFlow v5 has no greeting that a dead collector could refuse */
	if (!u->is_proven && (u->young.messages || u->old.messages))
		n = 0;
	if (!t->settings.rate)
		return n;
	u->tokens += (double)(now_ns - u->tokens_ns) * rate / 1e9;
	u->tokens_ns = now_ns;
	const double most = rate * UDP_BURST_MS / 1e3 + 1;

	if (u->tokens > most)
		u->tokens = most;
	double left = u->tokens;

	for (uint32_t k = 0; k < n; k++) {
		if (left <= 0)
			return k;
		left -= transport_slot(t, t->next + k)->records;
	}
	return n;
}

/* Hands n messages to the system.  Returns how many were taken, or -1 and errno. */
static int send_datagrams(struct transport *t, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		struct transport_slot *const s = transport_slot(t, t->next + k);

		if (!s->is_stamped)
			transport_stamp(t, transport_bytes(t, t->next + k), s->records);
		s->is_stamped = true;
	}
#ifdef __linux__
	struct mmsghdr messages[UDP_BATCH];
	struct iovec parts[UDP_BATCH];

	memset(messages, 0, n * sizeof *messages);
	for (uint32_t k = 0; k < n; k++) {
		parts[k].iov_base = transport_bytes(t, t->next + k);
		parts[k].iov_len = transport_slot(t, t->next + k)->bytes;
		messages[k].msg_hdr.msg_iov = &parts[k];
		messages[k].msg_hdr.msg_iovlen = 1;
	}
	return sendmmsg(t->fd, messages, n, 0);
#else
	for (uint32_t k = 0; k < n; k++)
		if (send(t->fd, transport_bytes(t, t->next + k),
			    transport_slot(t, t->next + k)->bytes, 0) < 0)
			return k ? (int)k : -1;
	return (int)n;
#endif
}

/* Takes n messages out of the queue: they have left. */
static void take_out(struct transport *t, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		const struct transport_slot *const s = transport_slot(t, t->next + k);

		t->udp.young.flows += s->flows;
		t->udp.young.messages++;
		t->udp.young.bytes += s->bytes;
		t->udp.tokens -= s->records;
	}
	t->next += n;
	t->head = t->next;
	if (t->udp.cut_until && t->udp.cut_until != UINT64_MAX && t->head >= t->udp.cut_until) {
		t->udp.cut_until = 0;
		forbid_fragments(t, true);
	}
}

/* Sends as much as the rate and the socket take.  Returns ms until the next call. */
static int send_waiting(struct transport *t, int64_t now_ns)
{
	for (;;) {
		const uint32_t n = count_allowed(t, now_ns);

		if (!n)
			return t->next == t->tail ? UDP_DOUBT_MS : 1;
		const int sent = send_datagrams(t, n);
		const int number = errno;
		struct udp_errors errors = { 0 };

		if (sent > 0)
			take_out(t, (uint32_t)sent);
		if (sent == (int)n)
			continue;
		if (sent < 0)
			sort_error(&errors, number);
		take_errors(t, &errors);
		if (!obey_errors(t, &errors, now_ns))
			return 0;
		if (sent < 0 && !errors.is_too_big && number != EINTR) {
			/* a socket that says ENOBUFS is writable for poll(2) all the same */
			transport_watch(t, number == ENOBUFS ? 0 : POLLOUT);
			return 1;
		}
	}
}

int transport_udp_work(struct transport *t, int64_t now_ns)
{
	struct udp_errors errors = { 0 };
	uint32_t address;

	transport_udp_settle(t, now_ns);
	if (t->state == TRANSPORT_PAUSES || t->state == TRANSPORT_RESOLVES) {
		if (!transport_next_address(t, now_ns, &address))
			return UDP_DOUBT_MS;
		open_datagrams(t, now_ns, address);
	}
	if (t->fd < 0)
		return UDP_DOUBT_MS;
	const bool is_doubtful = t->state == TRANSPORT_CONNECTS;

	if (is_doubtful || t->sender->polled[0].revents & (POLLERR | POLLHUP | POLLNVAL)) {
		take_errors(t, &errors);
		if (!obey_errors(t, &errors, now_ns))
			return UDP_DOUBT_MS;
	}
	if (is_doubtful && now_ns < t->until_ns)
		return UDP_DOUBT_MS / 2;
	if (is_doubtful) {
		transport_set_up(t);
		t->udp.tokens_ns = now_ns;
	}
	transport_watch(t, 0);
	return send_waiting(t, now_ns);
}
