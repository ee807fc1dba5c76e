/* SPDX-License-Identifier: MIT */
/* machorun: declarations shared by the loader (load.c) and the shims (shim*.c). */
#ifndef MACHO_H
#define MACHO_H
#include <stddef.h>
#include <stdint.h>

struct shim {
	const char *name;
	void *at;
};
/* Each table ends with a NULL name. */
extern const struct shim shims_system[], shims_sandbox[], shims_files[], shims_kqueue[];
extern const struct shim shims_threads[], shims_text[], shims_net[], shims_writer[];
extern const struct shim shims_crypto[], shims_socket[];

void *shim_find(const char *name);
extern unsigned long kevents, kevents_low; /* calls, and calls with NOTE_LOWAT */
extern unsigned long kqueues;              /* queues made */
void shim_start(void);                     /* before the first instruction */
void note(const char *format, ...)
	__attribute__((format(printf, 1, 2))); /* to the file $MACHO_LOG, if set */

/* Darwin's errno of the thread.  Linux's errno is converted when the program calls __error, so a
 * plain call needs no shim. */
extern __thread int darwin_errno;
int to_darwin_errno(int linux_errno);
int fail_as(int darwin); /* sets Darwin's errno; returns -1 */
int *shim_error(void);
const char *darwin_strerror(int darwin);

/* True as soon as the program entered the sandbox. */
extern int sandboxed;
int sandbox_allows(
	const char *operation, const char *path); /* path as given by the program, or NULL */

/* Returns the path on Linux: "/private/etc" is "/etc" here, "/dev/bpfN" is "$MACHO_BPFN". */
const char *here_path(const char *path, char *room, size_t bytes, int *is_bpf);
void mac_path(const char *path, char *to); /* the path on macOS; `to` has PATH_MAX bytes */
int is_bpf_fd(int fd);
void set_bpf_fd(int fd, int yes);
int darwin_open_flags(int f); /* returns Linux's flags */
#endif
