/* SPDX-License-Identifier: MIT */
/* The real system's calls; stateless. */
#include "device/bpf_sys.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__)
#include <sys/sysctl.h>
#define HAVE_SYSCTLBYNAME
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

/* POLLIN alone: macOS refuses the rest on a BPF device (poll_nocancel in xnu's sys_generic.c). */
static int sys_wait(void *context, int fd, int wake_fd, int64_t timeout_ns)
{
	(void)context;
	struct pollfd p[2] = { { .fd = wake_fd, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
	int ms = timeout_ns < 0 ? -1 : timeout_ns > 1000000000000 ? 1000000 : (int)((timeout_ns + 999999) / 1000000);
#if defined(__linux__) || defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__)
	struct timespec t = { .tv_sec = (time_t)(timeout_ns / 1000000000), .tv_nsec = (long)(timeout_ns % 1000000000) };
	int r = timeout_ns >= 0 && timeout_ns < 1000000000 ? ppoll(p, fd < 0 ? 1 : 2, &t, NULL) : poll(p, fd < 0 ? 1 : 2, ms);
#else
	int r;
	if (fd < 0 && timeout_ns >= 0 && timeout_ns < 2000000) {	/* poll knows milliseconds only */
		bpei_clock_sleep_ns(timeout_ns);
		r = poll(p, 1, 0);
	} else {
		r = poll(p, fd < 0 ? 1 : 2, ms);
	}
#endif
	if (r < 0) return -errno;
	return (p[0].revents ? BPEI_WAIT_WAKE : 0) | (fd >= 0 && p[1].revents ? BPEI_WAIT_DEVICE : 0);
}

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

const struct bpei_bpf_sys bpei_bpf_sys_real = { .open = sys_open, .close = sys_close, .ioctl = sys_ioctl, .read = sys_read,
	.nonblocking = sys_nonblocking, .wait = sys_wait, .now = sys_now, .sysctl = sys_sysctl, .process_name = sys_process_name };
