/* SPDX-License-Identifier: MIT */
/* The page of metrics by HTTP (server.h), over libmicrohttpd.
 *
 * Threads: the library's thread accepts, reads and answers.  The sender's thread shows pages and
 * ends old connections.  The lock guards the pages and the list of connections, and is held for a
 * copy of a page at most.
 * Hazard: a descriptor in the list is open, since the library's thread takes the descriptor out of
 * the list before it closes the descriptor. */
#include "server.h"

#include "tools/export/export.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	CONNECTIONS = 64,
	CROWDED = 56, /* connections from which on the oldest goes */
	LIFE_S = 10,
	IDLE_S = 5,
	REQUEST_BYTES = 16384, /* memory of a connection: request line and headers */
	NS_A_SECOND = 1000000000
};

struct server_connection {
	int fd; /* -1: free */
	int64_t began_ns;
};

struct metrics_server {
	struct MHD_Daemon *daemon;
	struct export_books *books; /* messages, bytes and connects: the library's thread alone */
	bool checks_host;
	pthread_mutex_t lock;
	/* Under the lock. */
	struct metrics_page pages[METRICS_FORMS];
	struct server_connection connections[CONNECTIONS];
};

static int64_t server_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_A_SECOND + t.tv_nsec;
}

/* ---- Connections ---- */

/* Notes a connection, and ends the oldest if there are many.  The lock is held. */
static void note_connection(struct metrics_server *s, int fd)
{
	struct server_connection *oldest = NULL;
	struct server_connection *free_place = NULL;
	int open = 0;

	for (int k = 0; k < CONNECTIONS; k++) {
		struct server_connection *const c = &s->connections[k];

		if (c->fd < 0) {
			free_place = c;
			continue;
		}
		open++;
		if (!oldest || c->began_ns < oldest->began_ns)
			oldest = c;
	}
	if (free_place)
		*free_place = (struct server_connection){ fd, server_clock_ns() };
	if (open >= CROWDED && oldest)
		shutdown(oldest->fd, SHUT_RDWR);
}

/* Follows the connections of the library. */
static void follow_connection(void *user, struct MHD_Connection *connection, void **own,
	enum MHD_ConnectionNotificationCode code)
{
	struct metrics_server *const s = user;
	const union MHD_ConnectionInfo *const info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const int fd = info ? info->connect_fd : -1;

	(void)own;
	if (fd < 0)
		return;
	pthread_mutex_lock(&s->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		note_connection(s, fd);
		export_add(&s->books->connects, 1);
	} else {
		for (int k = 0; k < CONNECTIONS; k++)
			if (s->connections[k].fd == fd)
				s->connections[k].fd = -1;
	}
	pthread_mutex_unlock(&s->lock);
}

void metrics_server_tidy(struct metrics_server *s, int64_t now_ns)
{
	pthread_mutex_lock(&s->lock);
	for (int k = 0; k < CONNECTIONS; k++) {
		const struct server_connection *const c = &s->connections[k];

		if (c->fd >= 0 && now_ns - c->began_ns > LIFE_S * (int64_t)NS_A_SECOND)
			shutdown(c->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&s->lock);
}

/* ---- Answers ---- */

#define HTML "text/html; charset=utf-8"
#define PLAIN "text/plain; charset=utf-8"

static const char start_page[] =
	"<!DOCTYPE html><html><head><title>bpfengine</title></head><body>\n"
	"<h1>bpfengine</h1><p><a href=\"/metrics\">Metrics</a></p></body></html>\n";

/* Sends a response, and frees it.  Each answer is the last of its connection. */
static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned status,
	struct MHD_Response *response, const char *type)
{
	enum MHD_Result result = MHD_NO;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* Sends a text that stays in memory. */
static enum MHD_Result send_text(
	struct MHD_Connection *connection, unsigned status, const char *text, const char *type)
{
	return send_response(connection, status,
		MHD_create_response_from_buffer(
			strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT),
		type);
}

static enum MHD_Result send_metrics(struct metrics_server *s, struct MHD_Connection *connection)
{
	const char *const accept =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	const enum metrics_form form = metrics_form_accepted(accept);
	struct MHD_Response *response = NULL;
	size_t bytes;

	pthread_mutex_lock(&s->lock);
	bytes = s->pages[form].used;
	if (bytes)
		response = MHD_create_response_from_buffer(
			bytes, s->pages[form].bytes, MHD_RESPMEM_MUST_COPY);
	pthread_mutex_unlock(&s->lock);
	if (!bytes)
		return send_text(
			connection, MHD_HTTP_SERVICE_UNAVAILABLE, "There is no page yet.\n", PLAIN);
	export_add(&s->books->messages, 1);
	export_add(&s->books->bytes, bytes);
	if (response)
		MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept");
	return send_response(connection, MHD_HTTP_OK, response, metrics_media_type(form));
}

/* Answers a request at the first call, before a body is read. */
static enum MHD_Result answer_request(void *user, struct MHD_Connection *connection,
	const char *url, const char *method, const char *version, const char *upload,
	size_t *upload_bytes, void **own)
{
	struct metrics_server *const s = user;
	const char *const host =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);

	(void)version;
	(void)upload;
	(void)upload_bytes;
	(void)own;
	if (s->checks_host && !metrics_host_is_here(host))
		return send_text(connection, MHD_HTTP_MISDIRECTED_REQUEST,
			"The page is for this host: ask for localhost or 127.0.0.1.\n", PLAIN);
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return send_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
			"The page is only read: use GET or HEAD.\n", PLAIN);
	if (!strcmp(url, "/metrics"))
		return send_metrics(s, connection);
	if (!strcmp(url, "/"))
		return send_text(connection, MHD_HTTP_OK, start_page, HTML);
	if (!strcmp(url, "/-/healthy"))
		return send_text(connection, MHD_HTTP_OK, "bpfengine is healthy.\n", PLAIN);
	return send_text(connection, MHD_HTTP_NOT_FOUND,
		"There is no such page: the metrics are at /metrics.\n", PLAIN);
}

/* ---- Open and close ---- */

/* Allocates the server, and starts the thread. */
struct metrics_server *metrics_server_open(
	int listening, bool checks_host, struct export_books *books)
{
	struct metrics_server *const s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	if (pthread_mutex_init(&s->lock, NULL)) {
		free(s);
		return NULL;
	}
	s->books = books;
	s->checks_host = checks_host;
	for (int k = 0; k < CONNECTIONS; k++)
		s->connections[k].fd = -1;
	s->daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, answer_request, s,
		MHD_OPTION_LISTEN_SOCKET, listening, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES,
		MHD_OPTION_NOTIFY_CONNECTION, follow_connection, s, MHD_OPTION_END);
	if (s->daemon)
		return s;
	pthread_mutex_destroy(&s->lock);
	free(s);
	return NULL;
}

void metrics_server_show(struct metrics_server *s, const struct metrics_page *page)
{
	struct metrics_page *const shown = &s->pages[page->form];
	struct metrics_page copy = *page;

	copy.bytes = malloc(page->used + 1);
	if (!copy.bytes)
		return; /* the page from before stays */
	memcpy(copy.bytes, page->bytes, page->used + 1);
	copy.room = page->used + 1;
	pthread_mutex_lock(&s->lock);
	const struct metrics_page old = *shown;

	*shown = copy;
	pthread_mutex_unlock(&s->lock);
	free(old.bytes);
}

void metrics_server_close(struct metrics_server *s)
{
	if (!s)
		return;
	MHD_stop_daemon(s->daemon);
	for (int k = 0; k < METRICS_FORMS; k++)
		metrics_page_free(&s->pages[k]);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
