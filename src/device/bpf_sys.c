/* SPDX-License-Identifier: MIT */
/* The real system's calls; stateless. */
#include "device/bpf_sys.h"

#include "base/clock.h"
#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <net/if.h>
#include <time.h>
#include <unistd.h>
#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__)
#include <sys/sysctl.h>
#define HAVE_SYSCTLBYNAME
#endif
#if defined(__APPLE__)
#include <sys/event.h>
#include <sys/sockio.h>
#elif defined(__NetBSD__)
#define POLL_NS pollts
#else
#define POLL_NS ppoll
#endif
#if defined(__APPLE__) && __has_include(<libproc.h>)
#include <libproc.h>
#define HAVE_PROC_NAME
#endif

static int sys_open(void *context, const char *path)
{
	(void)context;
	int fd = bpei_fd_open(path, O_RDONLY);
	return fd < 0 ? -errno : fd;
}

static int sys_close(void *context, int fd)
{
	(void)context;
	return close(fd) ? -errno : 0;
}

static int sys_ioctl(void *context, int fd, unsigned long request, void *argument)
{
	(void)context;
	int r = ioctl(fd, request, argument);
	return r < 0 ? -errno : r;
}

static ssize_t sys_read(void *context, int fd, void *buffer, size_t bytes)
{
	(void)context;
	ssize_t n = read(fd, buffer, bytes);
	return n < 0 ? -errno : n;
}

static int sys_nonblocking(void *context, int fd, bool on)
{
	(void)context;
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) ? -errno : 0;
}

int bpei_bpf_waiter_plan(struct bpei_bpf_waiter *w, int fd, size_t low_water)
{
	bool same = w->fd == fd;
	int plan = same && w->low_water == low_water && !w->quiet ? 0 : BPEI_QUEUE_ADD;
	if (same && w->quiet)
		plan |= BPEI_QUEUE_FORGET;
	w->fd = fd;
	w->low_water = low_water;
	return plan;
}

static struct timespec make_timespec(int64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000) };
}

#if defined(__APPLE__)
/* Waits for the pipe alone: no kqueue is needed, and poll does not touch the device. */
static int wait_for_pipe(int wake_fd, int64_t timeout_ns)
{
	struct pollfd p = { .fd = wake_fd, .events = POLLIN };
	int ms = -1;

	if (timeout_ns > 1000000000)
		ms = 1000;
	else if (timeout_ns >= 0)
		ms = (int)((timeout_ns + 999999) / 1000000);
	int r = poll(&p, 1, ms);
	if (r < 0)
		return -errno;
	return r ? BPEI_WAIT_WAKE : 0;
}

static void close_queue(struct bpei_bpf_waiter *w)
{
	if (w->queue >= 0)
		close(w->queue);
	w->queue = -1;
}

enum { CHANGES_MOST = 3 };

/* Fills `change` with the registrations before a wait.  Returns how many, or -errno. */
static int plan_changes(struct bpei_bpf_waiter *w, int fd, int wake_fd, size_t low_water,
	struct kevent change[CHANGES_MOST])
{
	int plan = bpei_bpf_waiter_plan(w, fd, low_water);
	int changes = 0;

	if (w->queue >= 0 && plan & BPEI_QUEUE_FORGET)
		EV_SET(&change[changes++], (uintptr_t)fd, EVFILT_READ, EV_DELETE, 0, 0, NULL);
	if (w->queue < 0) {
		w->queue = bpei_fd_keep(kqueue());
		if (w->queue < 0)
			return -errno;
		EV_SET(&change[changes++], (uintptr_t)wake_fd, EVFILT_READ, EV_ADD, 0, 0, NULL);
		plan |= BPEI_QUEUE_ADD;
	}
	if (plan & BPEI_QUEUE_ADD)
		EV_SET(&change[changes++], (uintptr_t)fd, EVFILT_READ, EV_ADD,
			low_water ? NOTE_LOWAT : 0, (intptr_t)low_water, NULL);
	return changes;
}

/* Waits by a kqueue which lives as long as the descriptor, so a wait is a single system call.  The
 * first wait registers the pipe.  A silent knote is removed and added anew by the call that waits:
 * changes are made in order (kevent_register).  A poll beside the kqueue is forbidden: poll makes
 * another knote, whose removal clears the flag of this knote (macOS 10.11 and later).  NOTE_LOWAT
 * counts in immediate mode.  The caller keeps the mark at half the buffer or less, since a full
 * buffer may be short of a record. */
static int sys_wait(void *context, struct bpei_bpf_waiter *w, int fd, int wake_fd, size_t low_water,
	int64_t timeout_ns)
{
	struct kevent change[CHANGES_MOST];
	struct kevent event[4];
	struct timespec t = make_timespec(timeout_ns);
	int events = 0;
	(void)context;

	if (fd < 0)
		return wait_for_pipe(wake_fd, timeout_ns);
	int changes = plan_changes(w, fd, wake_fd, low_water, change);
	if (changes < 0)
		return changes;
	int n = kevent(w->queue, change, changes, event, 4, timeout_ns < 0 ? NULL : &t);
	if (n < 0) {
		int e = -errno;

		if (changes)
			close_queue(w); /* some of the changes may have been made */
		return e;
	}
	for (int i = 0; i < n; i++) {
		if (event[i].flags & EV_ERROR)
			close_queue(w); /* not attached any more: the read says so */
		else if (event[i].ident == (uintptr_t)wake_fd)
			events |= BPEI_WAIT_WAKE;
		if (event[i].ident == (uintptr_t)fd)
			events |= BPEI_WAIT_DEVICE;
	}
	/* Silence below a mark says nothing about the knote. */
	w->quiet = !low_water && !(events & BPEI_WAIT_DEVICE);
	return events;
}

static void sys_wait_end(void *context, struct bpei_bpf_waiter *w)
{
	(void)context;
	close_queue(w);
	bpei_bpf_waiter_init(w);
}
#else
static int sys_wait(void *context, struct bpei_bpf_waiter *w, int fd, int wake_fd, size_t low_water,
	int64_t timeout_ns)
{
	(void)context;
	(void)w; /* poll leaves nothing behind here */
	struct pollfd p[2] = { { .fd = wake_fd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN } };
	struct timespec t = make_timespec(timeout_ns);
	bool device = fd >= 0 && !low_water;
	int r = POLL_NS(p, 1 + device, timeout_ns < 0 ? NULL : &t, NULL);
	if (r < 0)
		return -errno;
	int events = p[0].revents ? BPEI_WAIT_WAKE : 0;

	if (device && p[1].revents)
		events |= BPEI_WAIT_DEVICE;
	return events;
}

static void sys_wait_end(void *context, struct bpei_bpf_waiter *w)
{
	(void)context;
	bpei_bpf_waiter_init(w);
}
#endif

static int64_t sys_now(void *context)
{
	(void)context;
	return bpei_clock_mono_ns();
}

static ssize_t sys_sysctl(void *context, const char *name, void *value, size_t bytes)
{
	(void)context;
#ifdef HAVE_SYSCTLBYNAME
	return sysctlbyname(name, value, &bytes, NULL, 0) ? -errno : (ssize_t)bytes;
#else
	(void)name;
	(void)value;
	(void)bytes;
	return -ENOENT;
#endif
}

static void sys_process_name(void *context, int pid, char *name, size_t room)
{
	(void)context;
	name[0] = 0;
#if defined(HAVE_PROC_NAME)
	if (proc_name(pid, name, (uint32_t)room) <= 0)
		name[0] = 0;
#else
	(void)pid;
	(void)room;
#endif
}

/* Asks by a socket of any family; a system without IPv4 has sockets of IPv6. */
static bool sys_is_up(void *context, const char *name)
{
	struct ifreq r;
	int s = bpei_fd_keep(socket(AF_INET, SOCK_DGRAM, 0));
	(void)context;
	if (s < 0)
		s = bpei_fd_keep(socket(AF_INET6, SOCK_DGRAM, 0));
	if (s < 0)
		return true;
	memset(&r, 0, sizeof r);
	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	bool up = ioctl(s, SIOCGIFFLAGS, &r) || r.ifr_flags & IFF_UP;
	close(s);
	return up;
}

/* Creates or destroys an interface, as ifconfig(8) does, by a socket of any family.  Only macOS has
 * a useful kind of interface (pktap). */
static int sys_interface(void *context, char name[BPEI_IFREQ_NAME], bool make)
{
	(void)context;
#if defined(__APPLE__) && defined(SIOCIFCREATE)
	struct ifreq r;
	int s = bpei_fd_keep(socket(AF_INET, SOCK_DGRAM, 0));
	if (s < 0)
		return -errno;
	memset(&r, 0, sizeof r);
	memcpy(r.ifr_name, name, BPEI_IFREQ_NAME);
	const unsigned long request = make ? SIOCIFCREATE : SIOCIFDESTROY;
	int e = ioctl(s, request, &r) ? -errno : 0;
	close(s);
	if (!e && make) {
		memcpy(name, r.ifr_name, BPEI_IFREQ_NAME);
		name[BPEI_IFREQ_NAME - 1] = 0;
	}
	return e;
#else
	(void)name;
	(void)make;
	return -ENOTSUP;
#endif
}

const struct bpei_bpf_sys bpei_bpf_sys_real = { .open = sys_open,
	.close = sys_close,
	.ioctl = sys_ioctl,
	.read = sys_read,
	.nonblocking = sys_nonblocking,
	.wait = sys_wait,
	.wait_end = sys_wait_end,
	.now = sys_now,
	.sysctl = sys_sysctl,
	.process_name = sys_process_name,
	.is_up = sys_is_up,
	.interface = sys_interface };
