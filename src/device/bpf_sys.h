/* SPDX-License-Identifier: MIT */
/* The system calls that the BPF device makes, as a table: the same object code runs on a real device, on a node that another
 * program serves, and on a scripted double in tests.  There is no write: the engine never sends (a write has brought kernels
 * down, and sets off alarms), and what cannot be called cannot be called by mistake.
 * Calls return >= 0, or a negative errno of this host. */
#ifndef BPEI_BPF_SYS_H
#define BPEI_BPF_SYS_H

#include "device/bpf_abi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { BPEI_WAIT_DEVICE = 1, BPEI_WAIT_WAKE = 2 };

struct bpei_bpf_sys {
	void *context;			/* handed to each */
	int (*open)(void *context, const char *path);	/* for reading, close-on-exec */
	int (*close)(void *context, int fd);
	/* request is unsigned: codes with bit 31 set must not be sign-extended on the way. */
	int (*ioctl)(void *context, int fd, unsigned long request, void *argument);
	ssize_t (*read)(void *context, int fd, void *buffer, size_t bytes);
	int (*nonblocking)(void *context, int fd, bool on);
	/* Until fd (-1: none) is readable or ended, wake_fd is readable, or timeout_ns (< 0: no limit) passed: BPEI_WAIT_*.
	 * low_water > 0: fd counts only once so many bytes are there, where the system can tell (macOS: NOTE_LOWAT); elsewhere
	 * it does not count at all. */
	int (*wait)(void *context, int fd, int wake_fd, size_t low_water, int64_t timeout_ns);
	int64_t (*now)(void *context);	/* nanoseconds of a clock that never steps */
	/* sysctlbyname(3): bytes filled, -ENOENT if there is none. */
	ssize_t (*sysctl)(void *context, const char *name, void *value, size_t bytes);
	void (*process_name)(void *context, int pid, char *name, size_t room);	/* "" if it cannot be told */
	/* Makes an interface of the kind `name` ("pktap"), whose whole name ("pktap0") is put there; or does away with `name`. */
	int (*interface)(void *context, char name[BPEI_IFREQ_NAME], bool make);
};

extern const struct bpei_bpf_sys bpei_bpf_sys_real;

#endif
