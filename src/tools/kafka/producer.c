/* SPDX-License-Identifier: MIT */
/* A producer of librdkafka with exact books (producer.h).
 *
 * Life: open makes a handle and a topic.  send hands messages over; librdkafka's threads send the
 * messages and write a byte to the pipe `wake` when reports wait.  poll takes the reports.  finish
 * waits, purges, and counts the rest as failed.
 *
 * Invariant: taken = sent + failed + p->records.  A record of two messages is sent when the brokers
 * acknowledged both messages, and failed if either failed.
 *
 * Hazard: all callbacks run within rd_kafka_poll and rd_kafka_flush, on the caller's thread.  A
 * handle is destroyed in poll and close alone, never in a callback. */
#include "producer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1000000
#define NS_PER_S 1000000000LL
#define AGAIN_S 60 /* a failure that lasts is told again after this */
#define RECORD_BYTES_MOST 65536

/* ---- Notices for the user ---- */

/* Returns the advice about a failure, or NULL. */
static const char *failure_advice(rd_kafka_resp_err_t error)
{
	switch (error) {
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
		return "create the topic";
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
		return "grant the user the right Write on the topic";
	case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
		return "the brokers did not acknowledge in time (timeout=SECONDS)";
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
		return "raise max.message.bytes of the topic, and rdkafka.message.max.bytes";
	default:
		return NULL;
	}
}

/* Returns whether a failure is news.  From now on the failure is none for AGAIN_S. */
static bool is_news(struct kafka_producer *p, rd_kafka_resp_err_t error)
{
	struct kafka_told *oldest = p->told;

	for (size_t k = 0; k < KAFKA_TOLD_MOST; k++) {
		struct kafka_told *t = &p->told[k];

		if (t->error == error && t->told_ns) {
			if (p->now_ns - t->told_ns < AGAIN_S * NS_PER_S)
				return false;
			oldest = t;
			break;
		}
		if (t->told_ns < oldest->told_ns)
			oldest = t;
	}
	*oldest = (struct kafka_told){ error, p->now_ns };
	return true;
}

static void tell_record_failure(struct kafka_producer *p, rd_kafka_resp_err_t error)
{
	const char *advice = failure_advice(error);

	if (p->is_closing || !is_news(p, error))
		return;
	if (advice)
		export_say(p->sender, "records for the topic %s fail: %s: %s", p->settings.topic,
			rd_kafka_err2str(error), advice);
	else
		export_say(p->sender, "records for the topic %s fail: %s", p->settings.topic,
			rd_kafka_err2str(error));
}

static void note_connected(struct kafka_producer *p)
{
	struct export_books *books = p->sender->books;

	if (atomic_load_explicit(&books->is_connected, memory_order_relaxed))
		return;
	atomic_store_explicit(&books->is_connected, 1, memory_order_relaxed);
	export_add(&books->connects, 1);
	if (p->is_down)
		export_say(p->sender, "a broker of %s answers again", p->sender->address->hosts);
	p->is_down = false;
}

static void note_disconnected(struct kafka_producer *p)
{
	atomic_store_explicit(&p->sender->books->is_connected, 0, memory_order_relaxed);
	if (p->is_down || p->is_closing)
		return;
	p->is_down = true;
	export_say(p->sender,
		"no broker of %s answers%s%s: records wait for up to %llu s, then they fail",
		p->sender->address->hosts, p->reason[0] ? ": " : "", p->reason,
		(unsigned long long)p->settings.timeout_s);
}

/* ---- Callbacks ---- */

static void settle_record(struct kafka_producer *p, bool is_failed)
{
	p->records--;
	export_add(is_failed ? &p->sender->books->failed : &p->sender->books->sent, 1);
}

/* Settles a part of a record of two messages. */
static void settle_pair(struct kafka_producer *p, uint32_t number, bool is_failed)
{
	struct kafka_pair *pair = &p->pairs[number - 1];

	pair->failed |= is_failed;
	if (--pair->left)
		return;
	settle_record(p, pair->failed);
	pair->next = p->free_pair;
	p->free_pair = number;
}

static void settle_message(struct kafka_producer *p, void *opaque, bool is_failed)
{
	const uint32_t number = (uint32_t)(uintptr_t)opaque;

	if (number)
		settle_pair(p, number, is_failed);
	else
		settle_record(p, is_failed);
}

/* Takes the report about a message: acknowledged, or given up. */
static void take_delivery(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
	struct kafka_producer *p = opaque;
	struct export_books *books = p->sender->books;

	(void)handle;
	p->messages--;
	p->bytes -= message->len + message->key_len;
	if (message->err) {
		tell_record_failure(p, message->err);
	} else {
		export_add(&books->messages, 1);
		export_add(&books->bytes, message->len + message->key_len);
		note_connected(p);
	}
	settle_message(p, message->_private, message->err != RD_KAFKA_RESP_ERR_NO_ERROR);
}

/* Takes an error of librdkafka.  Errors that librdkafka mends alone are noted, not told. */
static void take_error(rd_kafka_t *handle, int error, const char *reason, void *opaque)
{
	struct kafka_producer *p = opaque;

	(void)handle;
	switch ((rd_kafka_resp_err_t)error) {
	case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
		note_disconnected(p);
		break;
	case RD_KAFKA_RESP_ERR__FATAL:
		p->is_broken = true;
		break;
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR__SSL:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
		if (is_news(p, (rd_kafka_resp_err_t)error))
			export_say(p->sender, "the brokers refuse: %s", reason);
		break;
	default:
		snprintf(p->reason, sizeof p->reason, "%s", reason);
	}
}

/* Takes librdkafka's statistics.  The text alone says if a broker is back.  Returns 0: librdkafka
 * frees the text. */
static int take_statistics(rd_kafka_t *handle, char *json, size_t n, void *opaque)
{
	(void)handle;
	(void)n;
	if (strstr(json, "\"state\":\"UP\"") || strstr(json, "\"state\": \"UP\""))
		note_connected(opaque);
	return 0;
}

/* Drops the log of librdkafka: take_error has the errors. */
static void drop_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
	(void)handle;
	(void)level;
	(void)facility;
	(void)text;
}

/* ---- Life ---- */

/* Makes the list of free pairs. */
static void free_pairs(struct kafka_producer *p)
{
	const uint32_t count = (uint32_t)p->settings.buffer_messages;

	for (uint32_t k = 0; k < count; k++)
		p->pairs[k].next = k + 1 < count ? k + 2 : 0;
	p->free_pair = 1;
}

/* Makes a handle and a topic.  Returns 0, or -1 with the reason. */
static int make_handle(struct kafka_producer *p, char *why, size_t room)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_dup(p->conf);

	rd_kafka_conf_set_opaque(conf, p);
	rd_kafka_conf_set_dr_msg_cb(conf, take_delivery);
	rd_kafka_conf_set_error_cb(conf, take_error);
	rd_kafka_conf_set_stats_cb(conf, take_statistics);
	rd_kafka_conf_set_log_cb(conf, drop_log);
	p->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, room);
	if (!p->handle) {
		rd_kafka_conf_destroy(conf);
		return -1;
	}
	p->topic = rd_kafka_topic_new(p->handle, p->settings.topic, NULL);
	if (!p->topic) {
		snprintf(why, room, "topic %s: %s", p->settings.topic,
			rd_kafka_err2str(rd_kafka_last_error()));
		rd_kafka_destroy(p->handle);
		p->handle = NULL;
		return -1;
	}
	rd_kafka_queue_t *queue = rd_kafka_queue_get_main(p->handle);

	rd_kafka_queue_io_event_enable(queue, p->wake[1], "", 1);
	rd_kafka_queue_destroy(queue);
	p->is_broken = false;
	return 0;
}

/* Counts records without a report as failed, and frees the handle. */
static void drop_handle(struct kafka_producer *p)
{
	if (!p->handle)
		return;
	rd_kafka_topic_destroy(p->topic);
	rd_kafka_destroy(p->handle);
	p->handle = NULL;
	export_add(&p->sender->books->failed, p->records);
	p->records = p->messages = p->bytes = 0;
}

static int open_wake(struct kafka_producer *p)
{
	if (pipe(p->wake)) {
		p->wake[0] = p->wake[1] = -1;
		return -1;
	}
	for (int k = 0; k < 2; k++) {
		fcntl(p->wake[k], F_SETFD, FD_CLOEXEC);
		fcntl(p->wake[k], F_SETFL, O_NONBLOCK);
	}
	return 0;
}

int kafka_producer_open(struct kafka_producer *p, char *why, size_t room)
{
	p->pairs = calloc(p->settings.buffer_messages, sizeof *p->pairs);
	if (!p->pairs || open_wake(p)) {
		snprintf(why, room, "%s", strerror(errno));
		return -1;
	}
	free_pairs(p);
	return make_handle(p, why, room);
}

void kafka_producer_close(struct kafka_producer *p)
{
	p->is_closing = true;
	drop_handle(p);
	if (p->conf)
		rd_kafka_conf_destroy(p->conf);
	for (int k = 0; k < 2; k++)
		if (p->wake[k] >= 0)
			close(p->wake[k]);
	free(p->pairs);
}

/* ---- Records ---- */

bool kafka_producer_has_room(const struct kafka_producer *p)
{
	return p->handle && !p->is_broken &&
	       p->messages + KAFKA_PARTS_MOST <= p->settings.buffer_messages &&
	       p->bytes + RECORD_BYTES_MOST <= p->settings.buffer_bytes;
}

/* Hands a message over.  Returns whether a report will come. */
static bool send_message(struct kafka_producer *p, const struct kafka_part *key,
	const struct kafka_part *part, uint32_t pair)
{
	const int result = rd_kafka_produce(p->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
		(void *)(uintptr_t)part->bytes, part->n, key->n ? key->bytes : NULL, key->n,
		(void *)(uintptr_t)pair);

	if (!result) {
		p->messages++;
		p->bytes += part->n + key->n;
		return true;
	}
	const rd_kafka_resp_err_t error = rd_kafka_last_error();

	if (error == RD_KAFKA_RESP_ERR__FATAL)
		p->is_broken = true;
	tell_record_failure(p, error);
	return false;
}

void kafka_producer_send(struct kafka_producer *p, const char *key_text, size_t key_bytes,
	const struct kafka_part *parts, uint32_t count)
{
	const struct kafka_part key = { key_text, key_bytes };
	uint32_t pair = 0;

	p->records++;
	if (count > 1) {
		pair = p->free_pair;
		p->free_pair = p->pairs[pair - 1].next;
		p->pairs[pair - 1] = (struct kafka_pair){ 0, (uint16_t)count, 0 };
	}
	for (uint32_t k = 0; k < count; k++)
		if (!send_message(p, &key, &parts[k], pair))
			settle_message(p, (void *)(uintptr_t)pair, true);
}

/* Takes the bytes that librdkafka wrote to wake the sender. */
static void drain_wake(struct kafka_producer *p)
{
	char bytes[256];

	while (read(p->wake[0], bytes, sizeof bytes) == (ssize_t)sizeof bytes)
		continue;
}

/* Replaces a handle that gave up, which idempotence does when the brokers lost a sequence. */
static void replace_handle(struct kafka_producer *p)
{
	char why[256];

	rd_kafka_fatal_error(p->handle, why, sizeof why);
	export_say(p->sender, "librdkafka starts again: %s", why);
	rd_kafka_purge(p->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	rd_kafka_poll(p->handle, 0);
	drop_handle(p);
	free_pairs(p);
	if (make_handle(p, why, sizeof why))
		export_say(p->sender, "librdkafka does not start: %s", why);
}

void kafka_producer_poll(struct kafka_producer *p, int64_t now_ns)
{
	p->now_ns = now_ns;
	drain_wake(p);
	if (!p->handle)
		return;
	rd_kafka_poll(p->handle, 0);
	if (p->is_broken)
		replace_handle(p);
}

static int64_t producer_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

void kafka_producer_finish(struct kafka_producer *p, int64_t until_ns)
{
	if (!p->handle)
		return;
	while (p->messages && !p->is_broken && producer_clock_ns() < until_ns)
		rd_kafka_flush(p->handle, 50);
	if (p->messages)
		export_say(p->sender,
			"%llu records were not acknowledged in time and count as failed",
			(unsigned long long)p->records);
	p->is_closing = true;
	rd_kafka_purge(p->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	for (int k = 0; p->messages && k < 20; k++)
		rd_kafka_poll(p->handle, 100);
	export_add(&p->sender->books->failed, p->records);
	p->records = 0;
}
