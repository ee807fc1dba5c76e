/* SPDX-License-Identifier: MIT */
/* The BPF device's system calls as a table.  The same object code runs on a real device, on a node
 * served by another program, and on a scripted double in tests.  There is no write.  The engine
 * never sends, since a write has brought kernels down and sets off alarms.  A call which does not
 * exist cannot be made by mistake.  Calls return >= 0, or a negative errno of this host. */
#ifndef BPEI_BPF_SYS_H
#define BPEI_BPF_SYS_H

#include "device/bpf_abi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { BPEI_WAIT_DEVICE = 1, BPEI_WAIT_WAKE = 2 };

/* State kept from a wait to the next.  macOS: a kqueue, with a knote on the device for as long as
 * the descriptor is open.  A knote which is removed takes the wake-ups of all other knotes along
 * (filt_bpfdetach), also of a caller's own knote.  Initialise with bpei_bpf_waiter_init. */
struct bpei_bpf_waiter {
	int queue;        /* -1: not made yet, or none is wanted */
	int fd;           /* registered in the queue; -1: none */
	size_t low_water; /* ... with this mark */
	bool quiet;       /* the last wait without a mark reported nothing of the device */
};

/* Each function gets `context` as first argument. */
struct bpei_bpf_sys {
	void *context;
	int (*open)(void *context, const char *path); /* for reading, close-on-exec */
	int (*close)(void *context, int fd);
	/* request is unsigned: codes with bit 31 set must not be sign-extended on the way. */
	int (*ioctl)(void *context, int fd, unsigned long request, void *argument);
	ssize_t (*read)(void *context, int fd, void *buffer, size_t bytes);
	int (*nonblocking)(void *context, int fd, bool on);
	/* Waits until fd (-1: none) is readable or ended, wake_fd is readable, or timeout_ns (< 0:
	 * no limit) passed.  Returns BPEI_WAIT_*.  low_water > 0: fd counts only with so many bytes
	 * ready, where the system can tell (macOS: NOTE_LOWAT), and elsewhere not at all. */
	int (*wait)(void *context, struct bpei_bpf_waiter *waiter, int fd, int wake_fd,
		size_t low_water, int64_t timeout_ns);
	/* Releases the waiter's resources. */
	void (*wait_end)(void *context, struct bpei_bpf_waiter *waiter);
	int64_t (*now)(void *context); /* nanoseconds of a clock which never steps */
	/* Calls sysctlbyname(3).  Returns the bytes filled; -ENOENT for an unknown name. */
	ssize_t (*sysctl)(void *context, const char *name, void *value, size_t bytes);
	/* Writes the name of a process; "" if unknown. */
	void (*process_name)(void *context, int pid, char *name, size_t room);
	/* Returns true if the interface is up (SIOCGIFFLAGS), or if the state is unknown. */
	bool (*is_up)(void *context, const char *name);
	/* make: creates an interface of the kind `name` ("pktap"), and stores the interface's whole
	 * name ("pktap0") there.  Else destroys the interface `name`. */
	int (*interface)(void *context, char name[BPEI_IFREQ_NAME], bool make);
};

extern const struct bpei_bpf_sys bpei_bpf_sys_real;

static inline void bpei_bpf_waiter_init(struct bpei_bpf_waiter *w)
{
	*w = (struct bpei_bpf_waiter){ .queue = -1, .fd = -1 };
}

/* Steps before a wait, in this order: the knote is removed, the knote is added. */
enum { BPEI_QUEUE_FORGET = 1, BPEI_QUEUE_ADD = 2 };
/* Returns the steps before a wait for fd with the mark low_water, and notes both as registered.  A
 * knote which was silent for a whole wait is added anew, since a poll(2) by the caller may have
 * silenced the knote. */
int bpei_bpf_waiter_plan(struct bpei_bpf_waiter *waiter, int fd, size_t low_water);

#endif
