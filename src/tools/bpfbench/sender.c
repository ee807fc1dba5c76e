/* SPDX-License-Identifier: MIT */
/* The sending process.
 *
 * Forked while this process has one thread; it opens the wire, says that it is ready, waits for the
 * word, sends for its time, reports, and ends. Packets fall due by the clock; what is due is sent
 * in bursts of at most 64, so that a late wake-up is made up for and the mean holds.  A frame that
 * the system refuses (no room) is tried again until its time is over: it is late, not lost.  If the
 * parent goes away, reading the word fails and the sender ends. */
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

static void rest(int64_t ns)
{
	struct timespec t = { 0, (long)ns };
	nanosleep(&t, NULL);
}

static int64_t due_at(uint64_t packet, uint64_t rate)
{
	return (int64_t)(packet / rate * 1000000000 + packet % rate * 1000000000 / rate);
}

static void send_all(int fd, const struct sender_order *o, struct sender_report *r)
{
	uint8_t *memory = malloc((size_t)FRAMES * o->frame_bytes), *burst[WIRE_BURST];
	int64_t start = mono_now(), end = start + (int64_t)(o->seconds * 1e9);
	uint64_t all = o->rate ? (uint64_t)((double)o->rate * o->seconds) : UINT64_MAX;
	if (!memory) {
		r->failed_errno = ENOMEM;
		return;
	}
	for (uint32_t i = 0; i < FRAMES; i++)
		sender_frame(memory + (size_t)i * o->frame_bytes, o->frame_bytes, i);
	while (r->sent < all) {
		int64_t now = mono_now();
		if (now >= end + (o->rate ? (end - start) / 10 + 20000000 : 0))
			break; /* a little late is still on time */
		uint64_t due = WIRE_BURST;
		if (o->rate) {
			uint64_t elapsed = (uint64_t)(now - start),
				 by_now = elapsed / 1000000000 * o->rate +
					  elapsed % 1000000000 * o->rate / 1000000000 + 1;
			if (by_now > all)
				by_now = all;
			due = by_now > r->sent ? by_now - r->sent : 0;
			if (!due) {
				int64_t wait = start + due_at(r->sent, o->rate) - now;
				if (wait > 30000)
					rest(wait < 1000000 ? wait : 1000000);
				continue;
			}
		}
		uint32_t n = due < WIRE_BURST ? (uint32_t)due : WIRE_BURST;
		for (uint32_t i = 0; i < n; i++)
			burst[i] = memory + (size_t)((r->sent + i) % FRAMES) * o->frame_bytes;
		int sent = wire_send(fd, burst, n, o->frame_bytes);
		if (sent > 0) {
			r->sent += (uint64_t)sent;
		} else if (sent == -ENOBUFS || sent == -EAGAIN || sent == -EINTR) {
			r->refused++;
			rest(10000);
		} else {
			r->failed_errno = -sent;
			snprintf(r->step, sizeof r->step, "send");
			break;
		}
	}
	r->ns = mono_now() - start;
	free(memory);
}

static void child(int from, int to, const struct pair *pair, const struct sender_order *order)
{
	struct sender_report r = { 0 };
	const char *step = "";
	char word;
	signal(SIGINT, SIG_IGN); /* the terminal's: the parent ends us */
	int fd = wire_open(pair, &step);
	if (fd < 0)
		r.failed_errno = -fd, snprintf(r.step, sizeof r.step, "%s", step);
	if (write(to, &r, sizeof r) != sizeof r || fd < 0)
		_exit(1);
	if (read(from, &word, 1) != 1)
		_exit(1);
	send_all(fd, order, &r);
	_exit(write(to, &r, sizeof r) == sizeof r ? 0 : 1);
}

static int failed(const char *step, int e)
{
	program_tell("the sender failed: %s: %s", step, strerror(e));
	return e == EPERM || e == EACCES ? EXIT_RIGHTS : EXIT_ERROR;
}

static bool take(int fd, struct sender_report *r)
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
		return failed("interface", ENODEV);
	if (pipe(down))
		return failed("pipe", errno);
	if (pipe(back)) {
		close(down[0]), close(down[1]);
		return failed("pipe", errno);
	}
	fflush(NULL);
	s->pid = fork();
	if (s->pid == 0) {
		close(down[1]), close(back[0]);
		child(down[0], back[1], pair, order);
	}
	close(down[0]), close(back[1]);
	s->to = down[1], s->from = back[0];
	if (s->pid > 0 && take(s->from, &r) && !r.failed_errno)
		return 0;
	int e = s->pid < 0 ? EAGAIN : r.failed_errno ? r.failed_errno : EPIPE;
	close(s->to), close(s->from);
	if (s->pid > 0)
		waitpid(s->pid, NULL, 0);
	return failed(r.step[0] ? r.step : "start", e);
}

void sender_go(struct sender *s)
{
	ssize_t n = write(s->to, "g", 1);
	(void)n;
}

int sender_end(struct sender *s, struct sender_report *r)
{
	bool good = take(s->from, r);
	close(s->to), close(s->from);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (!good)
		return failed("report", EPIPE);
	return r->failed_errno ? failed(r->step, r->failed_errno) : 0;
}
