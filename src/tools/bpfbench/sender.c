/* SPDX-License-Identifier: MIT */
/* The sending process.
 *
 * sender_start forks while the parent has a single thread.  The child opens the wire, reports the
 * wire as ready, waits for the word to begin, sends for the ordered time, reports, and ends.
 *
 * Frames fall due by the clock.  Due frames are sent in bursts of at most 64, and the mean rate
 * holds after a late wake-up.  A frame which the system refuses (no room) is tried again until the
 * time is over: the frame is late, not lost.  If the parent goes away, reading the word fails
 * and the sender ends. */
#include "pair.h"

#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FRAMES 1000u

static void sleep_ns(int64_t ns)
{
	struct timespec t = { 0, (long)ns };
	nanosleep(&t, NULL);
}

static int64_t find_due_time(uint64_t packet, uint64_t rate)
{
	return (int64_t)(packet / rate * 1000000000 + packet % rate * 1000000000 / rate);
}

/* The frames of a sender, and its clock. */
struct stream {
	const struct sender_order *order;
	uint8_t *memory; /* FRAMES frames, in sequence */
	int64_t start_ns, end_ns;
	uint64_t all; /* frames to send at most */
};

/* Returns the number of frames which are due and not sent, or 0 after a sleep. */
static uint64_t await_due(const struct stream *s, uint64_t sent, int64_t now)
{
	const uint64_t rate = s->order->rate;
	const uint64_t elapsed = (uint64_t)(now - s->start_ns);

	if (!rate)
		return WIRE_BURST;
	uint64_t by_now =
		elapsed / 1000000000 * rate + elapsed % 1000000000 * rate / 1000000000 + 1;
	if (by_now > s->all)
		by_now = s->all;
	if (by_now > sent)
		return by_now - sent;
	const int64_t wait = s->start_ns + find_due_time(sent, rate) - now;
	if (wait > 30000)
		sleep_ns(wait < 1000000 ? wait : 1000000);
	return 0;
}

/* Sends the next n frames.  Returns false if the sender must give up. */
static bool send_burst(int fd, const struct stream *s, uint32_t n, struct sender_report *r)
{
	const uint32_t bytes = s->order->frame_bytes;
	uint8_t *burst[WIRE_BURST];

	for (uint32_t i = 0; i < n; i++)
		burst[i] = s->memory + (size_t)((r->sent + i) % FRAMES) * bytes;
	const int sent = wire_send(fd, burst, n, bytes);
	if (sent > 0) {
		r->sent += (uint64_t)sent;
		return true;
	}
	if (sent == -ENOBUFS || sent == -EAGAIN || sent == -EINTR) {
		r->refused++;
		sleep_ns(10000);
		return true;
	}
	r->failed_errno = -sent;
	snprintf(r->step, sizeof r->step, "send");
	return false;
}

static void send_all(int fd, const struct sender_order *o, struct sender_report *r)
{
	struct stream s = { .order = o, .memory = malloc((size_t)FRAMES * o->frame_bytes) };

	s.start_ns = mono_now();
	s.end_ns = s.start_ns + (int64_t)(o->seconds * 1e9);
	s.all = o->rate ? (uint64_t)((double)o->rate * o->seconds) : UINT64_MAX;
	if (!s.memory) {
		r->failed_errno = ENOMEM;
		return;
	}
	for (uint32_t i = 0; i < FRAMES; i++)
		sender_frame(s.memory + (size_t)i * o->frame_bytes, o->frame_bytes, i);
	/* a little late is still in time */
	const int64_t grace = o->rate ? (s.end_ns - s.start_ns) / 10 + 20000000 : 0;
	while (r->sent < s.all) {
		const int64_t now = mono_now();

		if (now >= s.end_ns + grace)
			break;
		const uint64_t due = await_due(&s, r->sent, now);
		if (!due)
			continue;
		if (!send_burst(fd, &s, due < WIRE_BURST ? (uint32_t)due : WIRE_BURST, r))
			break;
	}
	r->ns = mono_now() - s.start_ns;
	free(s.memory);
}

static void serve_sender(
	int from, int to, const struct pair *pair, const struct sender_order *order)
{
	struct sender_report r = { 0 };
	const char *step = "";
	char word;
	signal(SIGINT, SIG_IGN); /* a signal of the terminal: the parent ends this process */
	int fd = wire_open(pair, &step);
	if (fd < 0) {
		r.failed_errno = -fd;
		snprintf(r.step, sizeof r.step, "%s", step);
	}
	if (write(to, &r, sizeof r) != sizeof r || fd < 0)
		_exit(1);
	if (read(from, &word, 1) != 1)
		_exit(1);
	send_all(fd, order, &r);
	_exit(write(to, &r, sizeof r) == sizeof r ? 0 : 1);
}

uint64_t count_since(const struct pair *pair, uint64_t before)
{
	const uint64_t now = pair_arrived(pair);

	return before == ABSENT || now == ABSENT ? ABSENT : now - before;
}

static int report_sender_failure(const char *step, int e)
{
	program_tell("the sender failed: %s: %s", step, strerror(e));
	return e == EPERM || e == EACCES ? EXIT_RIGHTS : EXIT_ERROR;
}

static bool take_report(int fd, struct sender_report *r)
{
	size_t n = 0;
	ssize_t k;
	while (n < sizeof *r &&
		((k = read(fd, (char *)r + n, sizeof *r - n)) > 0 || (k < 0 && errno == EINTR)))
		n += k > 0 ? (size_t)k : 0;
	return n == sizeof *r;
}

int sender_start(struct sender *s, const struct pair *pair, const struct sender_order *order)
{
	int down[2], back[2];
	struct sender_report r = { 0 };
	if (!pair->made)
		return report_sender_failure("interface", ENODEV);
	if (pipe(down))
		return report_sender_failure("pipe", errno);
	if (pipe(back)) {
		close(down[0]);
		close(down[1]);
		return report_sender_failure("pipe", errno);
	}
	fflush(NULL);
	s->pid = fork();
	if (s->pid == 0) {
		close(down[1]);
		close(back[0]);
		serve_sender(down[0], back[1], pair, order);
	}
	close(down[0]);
	close(back[1]);
	s->to = down[1];
	s->from = back[0];
	if (s->pid > 0 && take_report(s->from, &r) && !r.failed_errno)
		return 0;
	int e = r.failed_errno ? r.failed_errno : EPIPE;
	if (s->pid < 0)
		e = EAGAIN;
	close(s->to);
	close(s->from);
	if (s->pid > 0)
		waitpid(s->pid, NULL, 0);
	return report_sender_failure(r.step[0] ? r.step : "start", e);
}

void sender_go(struct sender *s)
{
	ssize_t n = write(s->to, "g", 1);
	(void)n;
}

int sender_end(struct sender *s, struct sender_report *r)
{
	bool good = take_report(s->from, r);
	close(s->to);
	close(s->from);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (!good)
		return report_sender_failure("report", EPIPE);
	return r->failed_errno ? report_sender_failure(r->step, r->failed_errno) : 0;
}
