/* SPDX-License-Identifier: MIT */
/* The page of metrics by HTTP: answers GET and HEAD from a copy of the page, on a second
 * thread.
 *
 * No client holds up the sender: sender and thread share a lock, held for the copy of a page.
 * Connections are bounded, and a connection ends 10 s after the start at the latest. */
#ifndef METRICS_SERVER_H
#define METRICS_SERVER_H

#include "page.h"

struct export_books;
struct metrics_server;

/* Starts to answer at a socket that listens, which belongs to the server from now on.  A page has
 * to be shown before clients get any but 503.  checks_host: refuses requests for other hosts than
 * this, which a foreign web page in a browser could make.  Counts answers in books.  Returns NULL,
 * and leaves the socket alone, if the server cannot start. */
struct metrics_server *metrics_server_open(
	int listening, bool checks_host, struct export_books *books);
/* Shows a page from now on. */
void metrics_server_show(struct metrics_server *server, const struct metrics_page *page);
/* Ends connections that are too old.  now_ns: CLOCK_MONOTONIC.  Call about every second. */
void metrics_server_tidy(struct metrics_server *server, int64_t now_ns);
/* Ends all connections, and the thread.  NULL is allowed. */
void metrics_server_close(struct metrics_server *server);
/* Returns whether the header Host (NULL: none) names this host: localhost, or an address. */
bool metrics_host_is_here(const char *host);

#endif
