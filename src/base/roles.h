/* SPDX-License-Identifier: MIT */
/* The three roles of a thread, as clang's thread-safety capabilities (-Wthread-safety).  A function
 * for the reader alone is declared BPEI_READER, and a call from elsewhere stops the clang build. No
 * code is generated; other compilers see nothing. */
#ifndef BPEI_ROLES_H
#define BPEI_ROLES_H

#if defined(__clang__)
#define BPEI_CAPABILITY(name) __attribute__((capability(name)))
#define BPEI_REQUIRES(role) __attribute__((requires_capability(role)))
#define BPEI_ACQUIRES(role) __attribute__((acquire_capability(role)))
#define BPEI_RELEASES(role) __attribute__((release_capability(role)))
#define BPEI_UNCHECKED __attribute__((no_thread_safety_analysis))
#else
#define BPEI_CAPABILITY(name)
#define BPEI_REQUIRES(role)
#define BPEI_ACQUIRES(role)
#define BPEI_RELEASES(role)
#define BPEI_UNCHECKED
#endif

struct BPEI_CAPABILITY("role") bpei_role {
	char unused;
};
extern struct bpei_role bpei_reader_role, bpei_worker_role, bpei_output_role;

/* The thread which reads the device. */
#define BPEI_READER BPEI_REQUIRES(bpei_reader_role)
/* A worker; with 0 workers, the reader in the worker's part of the loop. */
#define BPEI_WORKER BPEI_REQUIRES(bpei_worker_role)
/* The thread which hands records to on_record. */
#define BPEI_OUTPUT BPEI_REQUIRES(bpei_output_role)

/* Takes a role; a thread's main function does so at the start, and leaves the role at the end. */
static inline void bpei_role_enter(struct bpei_role *role) BPEI_ACQUIRES(*role) BPEI_UNCHECKED
{
	(void)role;
}
static inline void bpei_role_leave(struct bpei_role *role) BPEI_RELEASES(*role) BPEI_UNCHECKED
{
	(void)role;
}

#endif
