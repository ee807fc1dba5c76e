/* SPDX-License-Identifier: MIT */
/* The real system's calls; stateless. */
#include "device/bpf_sys.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__)
#include <sys/sysctl.h>
#define HAVE_SYSCTLBYNAME
#endif
#if defined(__APPLE__)
#include <net/if.h>
#include <string.h>
#include <sys/event.h>
#include <sys/socket.h>
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
	int fd = open(path, O_RDONLY | O_CLOEXEC);
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
	if (flags < 0) return -errno;
	return fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) ? -errno : 0;
}

#if defined(__APPLE__)
/* One kqueue for each wait, and never poll beside it: since macOS 10.11 a descriptor's one "has a knote" flag is cleared by the first
 * knote that goes, and the others would not be woken any more (filt_bpfdetach).  NOTE_LOWAT counts in immediate mode; the caller
 * keeps it at half the buffer or less, since a full one may be short of a record. */
static int sys_wait(void *context, int fd, int wake_fd, size_t low_water, int64_t timeout_ns)
{
	struct kevent change[2], event[2];
	struct timespec t = { .tv_sec = (time_t)(timeout_ns / 1000000000), .tv_nsec = (long)(timeout_ns % 1000000000) };
	int q = kqueue(), n, events = 0;
	(void)context;
	if (q < 0) return -errno;
	EV_SET(&change[0], (uintptr_t)wake_fd, EVFILT_READ, EV_ADD, 0, 0, NULL);
	EV_SET(&change[1], (uintptr_t)fd, EVFILT_READ, EV_ADD, low_water ? NOTE_LOWAT : 0, (intptr_t)low_water, NULL);
	n = kevent(q, change, fd < 0 ? 1 : 2, event, 2, timeout_ns < 0 ? NULL : &t);
	int failed = n < 0 ? -errno : 0;
	close(q);
	if (failed == -ENXIO) return BPEI_WAIT_DEVICE;	/* not attached any more: the read will say so */
	if (failed) return failed;
	for (int i = 0; i < n; i++) events |= event[i].ident == (uintptr_t)wake_fd ? BPEI_WAIT_WAKE : BPEI_WAIT_DEVICE;
	return events;
}
#else
static int sys_wait(void *context, int fd, int wake_fd, size_t low_water, int64_t timeout_ns)
{
	(void)context;
	struct pollfd p[2] = { { .fd = wake_fd, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
	struct timespec t = { .tv_sec = (time_t)(timeout_ns / 1000000000), .tv_nsec = (long)(timeout_ns % 1000000000) };
	bool device = fd >= 0 && !low_water;
	int r = POLL_NS(p, device ? 2 : 1, timeout_ns < 0 ? NULL : &t, NULL);
	if (r < 0) return -errno;
	return (p[0].revents ? BPEI_WAIT_WAKE : 0) | (device && p[1].revents ? BPEI_WAIT_DEVICE : 0);
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
	(void)name, (void)value, (void)bytes;
	return -ENOENT;
#endif
}

static void sys_process_name(void *context, int pid, char *name, size_t room)
{
	(void)context;
	name[0] = 0;
#if defined(HAVE_PROC_NAME)
	if (proc_name(pid, name, (uint32_t)room) <= 0) name[0] = 0;
#else
	(void)pid, (void)room;
#endif
}

/* ifconfig(8) create and destroy: requests of any socket.  Only macOS has a kind of interface that is of use to us (pktap). */
static int sys_interface(void *context, char name[BPEI_IFREQ_NAME], bool make)
{
	(void)context;
#if defined(__APPLE__) && defined(SIOCIFCREATE)
	struct ifreq r;
	int s = socket(AF_INET, SOCK_DGRAM, 0), e;
	if (s < 0) return -errno;
	memset(&r, 0, sizeof r);
	memcpy(r.ifr_name, name, BPEI_IFREQ_NAME);
	e = ioctl(s, make ? SIOCIFCREATE : SIOCIFDESTROY, &r) ? -errno : 0;
	close(s);
	if (!e && make) memcpy(name, r.ifr_name, BPEI_IFREQ_NAME), name[BPEI_IFREQ_NAME - 1] = 0;
	return e;
#else
	(void)name, (void)make;
	return -ENOTSUP;
#endif
}

const struct bpei_bpf_sys bpei_bpf_sys_real = { .open = sys_open, .close = sys_close, .ioctl = sys_ioctl, .read = sys_read,
	.nonblocking = sys_nonblocking, .wait = sys_wait, .now = sys_now, .sysctl = sys_sysctl, .process_name = sys_process_name, .interface = sys_interface };
