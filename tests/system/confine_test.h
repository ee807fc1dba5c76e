/* SPDX-License-Identifier: MIT */
/* Declarations of the confinement's test (confine.c). */
#ifndef CONFINE_TEST_H
#define CONFINE_TEST_H

#include "tools/bpfengine/confine_linux.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { NONE = 0, LANDLOCK = 1, SECCOMP = 2, BOTH = 3 }; /* mechanisms of a child */

/* Files, sockets and processes which confine.c makes before the children confine themselves. */
extern char test_directory[], own_file[64], other_file[64], made_file[64], output_file[64];
extern int udp_socket, event_fd, listener_fd;
extern int sender_fd, receiver_fd; /* a pair of sockets, in the place of the packet socket */
extern int output_fd;              /* a file which this program opened for writing */
extern int leaked_fd;              /* a file open for writing which was inherited */
extern int input_fd;               /* a file open for reading */
extern int pipe_fds[2];            /* a pipe of this program */
extern int output_directory_fd;
extern struct sockaddr_in listening_address;
extern struct sockaddr_un abstract_address;
extern pid_t parent_pid;
extern struct iovec one_byte_vector;

/* An attempt which a confinement must refuse. */
struct attempt {
	const char *name;
	int (*make)(void); /* returns an errno, or 0 if the attempt succeeded */
	int by;            /* mechanisms which refuse each without the other */
	int since;         /* version of Landlock which refuses */
	bool free;         /* may fail without confinement, too */
};
struct attempt_list {
	const struct attempt *attempts;
	size_t count;
};
extern const struct attempt_list file_attempts, write_attempts, name_attempts;

/* An action which a confinement must allow. */
struct allowed {
	const char *name;
	int (*make)(void);     /* returns 0, an errno, or -1 */
	bool no_seccomp_alone; /* seccomp without Landlock refuses */
};
extern const struct allowed allowed_actions[];
extern const size_t allowed_count;
extern const struct allowed writer_actions[];
extern const size_t writer_action_count;
extern const struct attempt writer_attempts[];
extern const size_t writer_attempt_count;

int try_inject_input(void);
int try_set_terminal(void);

/* Returns 0, or the errno of a call which returned r. */
static inline int errno_of(long r)
{
	return r < 0 ? errno : 0;
}

/* Returns 0, or the errno of the call which opened fd.  Closes fd. */
static inline int close_opened(int fd)
{
	const int failed = errno_of(fd);

	if (fd >= 0)
		close(fd);
	return failed;
}

#endif
