/* SPDX-License-Identifier: MIT */
/* Descriptors of the library: never 0 to 2, which belong to the program, and closed by exec.
 * Otherwise a program started without a standard descriptor could print the report into a packet
 * socket. */
#ifndef BPEI_DESCRIPTOR_H
#define BPEI_DESCRIPTOR_H

#include <stdbool.h>

/* Moves a system call's result away from 0 to 2 and marks the descriptor as closed by exec. Returns
 * the descriptor to use from now on, or -1 and errno (also where fd is < 0). */
int bpei_fd_keep(int fd);
/* Opens a file.  Returns a descriptor above 2, or -1 and errno. */
int bpei_fd_open(const char *path, int flags);
/* Returns a duplicate of fd above 2, or -1 and errno. */
int bpei_fd_dup(int fd);
/* Makes a pipe; nonblocking is for both ends.  Returns 0, or -1 and errno with both ends -1. */
int bpei_fd_pipe(int ends[2], bool nonblocking);

#endif
