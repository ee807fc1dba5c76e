/* SPDX-License-Identifier: MIT */
/* Attempts to write to descriptors that are no outputs, which seccomp must refuse (confine.c). */
#include "confine_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_io_uring_enter
#define SYS_io_uring_enter 426
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static int check_nothing_sent(int e)
{
	char c;
	if (recv(receiver_fd, &c, 1, MSG_DONTWAIT) == 1)
		return 0;
	return e ? e : EPROTO;
}

static int try_write_socket(void)
{
	return check_nothing_sent(errno_of(write(sender_fd, "x", 1)));
}

static int try_write_high(void)
{
	return check_nothing_sent(errno_of(syscall(SYS_write, (1L << 32) + sender_fd, "x", 1)));
}

static int try_writev_socket(void)
{
	return check_nothing_sent(errno_of(writev(sender_fd, &one_byte_vector, 1)));
}

static int try_pwrite_socket(void)
{
	int e = errno_of(pwrite(sender_fd, "x", 1, 0));
	return e == ESPIPE ? 0 : e;
}

static int try_pwritev_socket(void)
{
	int e = errno_of(pwritev(sender_fd, &one_byte_vector, 1, 0));
	return e == ESPIPE ? 0 : e;
}

static int try_pwritev2_socket(void)
{
	return check_nothing_sent(
		errno_of(syscall(SYS_pwritev2, sender_fd, &one_byte_vector, 1, -1L, -1L, 0)));
}

static int try_send_socket(void)
{
	return check_nothing_sent(errno_of(send(sender_fd, "x", 1, 0)));
}

static int try_sendmsg_socket(void)
{
	struct msghdr m = { .msg_iov = &one_byte_vector, .msg_iovlen = 1 };
	return check_nothing_sent(errno_of(sendmsg(sender_fd, &m, 0)));
}

static int try_sendmmsg_socket(void)
{
	struct {
		struct msghdr head;
		unsigned length;
	} m = { .head = { .msg_iov = &one_byte_vector, .msg_iovlen = 1 } };
	return check_nothing_sent(errno_of(syscall(SYS_sendmmsg, sender_fd, &m, 1, 0)));
}

static int try_sendfile_socket(void)
{
	off_t at = 0;
	return check_nothing_sent(errno_of(sendfile(sender_fd, input_fd, &at, 1)));
}

static int try_splice_socket(void)
{
	if (write(pipe_fds[1], "x", 1) != 1)
		return errno;
	return check_nothing_sent(errno_of(splice(pipe_fds[0], NULL, sender_fd, NULL, 1, 0)));
}

static int try_tee_pipe(void)
{
	int e = errno_of(tee(pipe_fds[0], pipe_fds[1], 1, SPLICE_F_NONBLOCK));
	return e == EINVAL ? 0 : e;
}

static int try_vmsplice_pipe(void)
{
	return errno_of(vmsplice(pipe_fds[1], &one_byte_vector, 1, 0));
}

static int try_copy_range(void)
{
	return errno_of(syscall(SYS_copy_file_range, input_fd, NULL, output_fd, NULL, 1, 0));
}

static int try_write_parent(void)
{
	return errno_of(process_vm_writev(parent_pid, &one_byte_vector, 1, &one_byte_vector, 1, 0));
}

static int try_io_setup(void)
{
	unsigned long context = 0;
	return errno_of(syscall(SYS_io_setup, 1, &context));
}

static int try_io_submit(void)
{
	return errno_of(syscall(SYS_io_submit, 0L, 0L, NULL)) == EINVAL ? 0 : errno;
}

static int try_uring_enter(void)
{
	int e = errno_of(syscall(SYS_io_uring_enter, event_fd, 0, 0, 0, NULL, 0));
	return e == EOPNOTSUPP ? 0 : e;
}

static int try_get_descriptor(void)
{
	return errno_of(syscall(SYS_pidfd_getfd, -1, 0, 0)) == EBADF ? 0 : errno;
}

static int try_receive_descriptor(void)
{
	struct msghdr m = { .msg_iov = &one_byte_vector, .msg_iovlen = 1 };
	int e = errno_of(recvmsg(receiver_fd, &m, MSG_DONTWAIT));
	return e == EAGAIN ? 0 : e;
}

static int try_write_leaked(void)
{
	return errno_of(write(leaked_fd, "x", 1));
}

static int try_write_stdin(void)
{
	int e = errno_of(write(STDIN_FILENO, "", 0));
	return e == EBADF ? 0 : e;
}

/* ---- A socket under an output's number, or under a free number ---- */

/* Tries to put a socket in the place of the output.  Returns 0 or an errno. */
static int try_over_output(void)
{
	return errno_of(dup2(sender_fd, output_fd));
}

static int try_over_output3(void)
{
	return errno_of(syscall(SYS_dup3, sender_fd, output_fd, O_CLOEXEC));
}

static int try_free_number(void)
{
	return close_opened(fcntl(sender_fd, F_DUPFD, 0));
}

static int try_free_number_closed(void)
{
	return close_opened(fcntl(sender_fd, F_DUPFD_CLOEXEC, 100));
}

#define REFUSED(name, make) { name, make, SECCOMP, 0, false }
#define REFUSED_FREE(name, make) { name, make, SECCOMP, 0, true }

static const struct attempt attempts[] = {
	REFUSED("write to a socket", try_write_socket),
	REFUSED("write to a socket, upper bits set", try_write_high),
	REFUSED("writev to a socket", try_writev_socket),
	REFUSED("pwrite to a socket", try_pwrite_socket),
	REFUSED("pwritev to a socket", try_pwritev_socket),
	REFUSED_FREE("pwritev2 to a socket", try_pwritev2_socket),
	REFUSED("send", try_send_socket),
	REFUSED("sendmsg", try_sendmsg_socket),
	REFUSED("sendmmsg", try_sendmmsg_socket),
	REFUSED("sendfile to a socket", try_sendfile_socket),
	REFUSED("splice to a socket", try_splice_socket),
	REFUSED("tee", try_tee_pipe),
	REFUSED("vmsplice", try_vmsplice_pipe),
	REFUSED_FREE("copy_file_range", try_copy_range),
	REFUSED_FREE("write another's memory", try_write_parent),
	REFUSED_FREE("io_setup", try_io_setup),
	REFUSED_FREE("io_submit", try_io_submit),
	REFUSED_FREE("io_uring_enter", try_uring_enter),
	REFUSED_FREE("pidfd_getfd", try_get_descriptor),
	REFUSED("recvmsg", try_receive_descriptor),
	REFUSED("write to what was inherited", try_write_leaked),
	REFUSED("write to the standard input", try_write_stdin),
	REFUSED("a socket over an output", try_over_output),
	REFUSED("a socket over an output by dup3", try_over_output3),
	REFUSED("a socket under a free number", try_free_number),
	REFUSED("a socket under a number from 100 on", try_free_number_closed),
};

const struct attempt_list write_attempts = { attempts, sizeof attempts / sizeof *attempts };
