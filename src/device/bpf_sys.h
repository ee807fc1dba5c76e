/* SPDX-License-Identifier: MIT */
/* The system calls that the BPF device makes, as a table: the same object code runs on a real
 * device, on a node that another program serves, and on a scripted double in tests.  There is no
 * write: the engine never sends (a write has brought kernels down, and sets off alarms), and what
 * cannot be called cannot be called by mistake. Calls return >= 0, or a negative errno of this
 * host. */
#ifndef BPEI_BPF_SYS_H
#define BPEI_BPF_SYS_H

#include "device/bpf_abi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { BPEI_WAIT_DEVICE = 1, BPEI_WAIT_WAKE = 2 };

/* What a device keeps from one wait to the next.  macOS: a kqueue, with a knote on the device for
 * as long as its descriptor is open: a knote that goes takes the wake-ups of every other one with
 * it (filt_bpfdetach), also of one that a caller has registered.  Begin with bpei_bpf_waiter_init.
 */
struct bpei_bpf_waiter {
	int queue;        /* -1: not made yet, or none is wanted */
	int fd;           /* registered in it; -1: none */
	size_t low_water; /* ... with this mark */
	bool quiet;       /* the last wait without a mark told nothing of it */
};

struct bpei_bpf_sys {
	void *context;                                /* handed to each */
	int (*open)(void *context, const char *path); /* for reading, close-on-exec */
	int (*close)(void *context, int fd);
	/* request is unsigned: codes with bit 31 set must not be sign-extended on the way. */
	int (*ioctl)(void *context, int fd, unsigned long request, void *argument);
	ssize_t (*read)(void *context, int fd, void *buffer, size_t bytes);
	int (*nonblocking)(void *context, int fd, bool on);
	/* Until fd (-1: none) is readable or ended, wake_fd is readable, or timeout_ns (< 0: no
	 * limit) passed: BPEI_WAIT_*. low_water > 0: fd counts only once so many bytes are there,
	 * where the system can tell (macOS: NOTE_LOWAT); elsewhere it does not count at all. */
	int (*wait)(void *context, struct bpei_bpf_waiter *waiter, int fd, int wake_fd,
		size_t low_water, int64_t timeout_ns);
	void (*wait_end)(
		void *context, struct bpei_bpf_waiter *waiter); /* gives back what it keeps */
	int64_t (*now)(void *context); /* nanoseconds of a clock that never steps */
	/* sysctlbyname(3): bytes filled, -ENOENT if there is none. */
	ssize_t (*sysctl)(void *context, const char *name, void *value, size_t bytes);
	void (*process_name)(
		void *context, int pid, char *name, size_t room); /* "" if it cannot be told */
	/* Whether the interface is up (SIOCGIFFLAGS); true, too, where it cannot be told. */
	bool (*is_up)(void *context, const char *name);
	/* Makes an interface of the kind `name` ("pktap"), whose whole name ("pktap0") is put
	 * there; or does away with `name`. */
	int (*interface)(void *context, char name[BPEI_IFREQ_NAME], bool make);
};

extern const struct bpei_bpf_sys bpei_bpf_sys_real;

static inline void bpei_bpf_waiter_init(struct bpei_bpf_waiter *w)
{
	*w = (struct bpei_bpf_waiter){ .queue = -1, .fd = -1 };
}

/* What comes before a wait for fd with that mark: the knote goes with its kqueue, the knote is
 * made. */
enum { BPEI_QUEUE_FORGET = 1, BPEI_QUEUE_ADD = 2 };
/* Returns them, and keeps what will be registered.  A knote that stood still through a whole wait
 * is made anew: a poll(2) of the caller's may have silenced it, too. */
int bpei_bpf_waiter_plan(struct bpei_bpf_waiter *waiter, int fd, size_t low_water);

#endif
