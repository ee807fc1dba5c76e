/* SPDX-License-Identifier: MIT */
/* Where the page of metrics listens: an address of this host with a port, or a Unix socket. */
#ifndef METRICS_PLACE_H
#define METRICS_PLACE_H

#include "tools/export/export.h"

#include <sys/socket.h>

#define METRICS_PORT 9477

struct metrics_place {
	bool is_unix;
	bool is_loopback;        /* only processes of this host get there */
	bool has_file;           /* of a Unix socket: this process or its parent made the file */
	uint64_t device, number; /* of the file */
	socklen_t length;
	union {
		struct sockaddr any;
		struct sockaddr_storage room;
	} address;
	char shown[160]; /* "http://127.0.0.1:9477/metrics" */
};

/* Reads hosts and path of a target: "9477", ":9477", "127.0.0.1:9477", "[::1]:9477" or
 * "localhost:9477", or no host and the path of a Unix socket.  A port alone is of 127.0.0.1.
 * Returns 0, or -1 with the reason and advice in why.  Pure. */
int metrics_place_read(
	struct metrics_place *place, const struct export_address *address, char *why, size_t room);
/* Opens a socket that listens at the place.  A Unix socket gets the mode 0660; a socket file that
 * nobody listens at is replaced.  Returns the descriptor, or -1 with the reason and advice in why.
 */
int metrics_place_listen(struct metrics_place *place, char *why, size_t room);
/* Removes the file of a Unix socket, if the file is still ours. */
void metrics_place_remove(struct metrics_place *place);

#endif
