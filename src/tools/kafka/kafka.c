/* SPDX-License-Identifier: MIT */
/* The sink of targets kafka://: a record becomes one message, or GoFlow2's two.
 *
 * The state is made in prepare, with the secrets of files, and librdkafka starts in open.  kept[0]
 * of the books is the number of the last message of GoFlow2's form. */
#include "kafka.h"

#include "goflow2.h"
#include "producer.h"
#include "sampler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { POLLED_EVERY = 256 }; /* records between two looks for acknowledgements */
enum { BUSY_MS = 50, IDLE_MS = 500 };

struct kafka_state {
	struct kafka_producer producer;
	struct goflow2_facts facts;
	uint32_t unpolled; /* records since the last look */
	char line[BPE_FORMAT_BYTES];
	uint8_t message[KAFKA_PARTS_MOST][GOFLOW2_BYTES];
};

static int check_kafka(const struct export_address *address, char *why, size_t room)
{
	struct kafka_settings settings;
	rd_kafka_conf_t *conf;

	if (kafka_settings_read(&settings, address, why, room))
		return -1;
	conf = kafka_conf_build(&settings, why, room);
	if (!conf)
		return -1;
	rd_kafka_conf_destroy(conf);
	return 0;
}

static int prepare_kafka(struct export_sender *sender)
{
	struct kafka_state *s = calloc(1, sizeof *s);
	struct kafka_producer *p = &s->producer;

	if (!s) {
		snprintf(sender->why, sizeof sender->why, "no memory");
		return -1;
	}
	sender->state = s;
	p->sender = sender;
	p->wake[0] = p->wake[1] = -1;
	if (kafka_settings_read(&p->settings, sender->address, sender->why, sizeof sender->why))
		return -1;
	p->conf = kafka_conf_build(&p->settings, sender->why, sizeof sender->why);
	if (!p->conf ||
		kafka_conf_read_files(p->conf, &p->settings, sender->why, sizeof sender->why))
		return -1;
	s->facts.domain = (uint32_t)p->settings.domain;
	s->facts.is_delimited = p->settings.form == KAFKA_FORM_PROTO;
	s->facts.sampler_bytes = p->settings.sampler_bytes;
	memcpy(s->facts.sampler, p->settings.sampler, sizeof s->facts.sampler);
	if (!s->facts.sampler_bytes)
		s->facts.sampler_bytes = kafka_sampler_find(s->facts.sampler);
	return 0;
}

static int open_kafka(struct export_sender *sender)
{
	struct kafka_state *s = sender->state;

	if (kafka_producer_open(&s->producer, sender->why, sizeof sender->why))
		return -1;
	sender->polled[0] = (struct pollfd){ .fd = s->producer.wake[0], .events = POLLIN };
	sender->polled_count = 1;
	return 0;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void poll_kafka(struct kafka_state *s)
{
	s->unpolled = 0;
	kafka_producer_poll(&s->producer, clock_ns(CLOCK_MONOTONIC));
}

static bool is_kafka_ready(struct export_sender *sender)
{
	struct kafka_state *s = sender->state;

	if (!kafka_producer_has_room(&s->producer))
		poll_kafka(s);
	return kafka_producer_has_room(&s->producer);
}

/* Writes the record as GoFlow2's messages.  Returns their number. */
static uint32_t write_messages(struct export_sender *sender, const struct bpe_flow *flow,
	struct kafka_part parts[KAFKA_PARTS_MOST])
{
	struct kafka_state *s = sender->state;
	_Atomic uint64_t *sequence = &sender->books->kept[0];
	uint32_t ends[2];
	const uint32_t count = goflow2_ends(flow, ends);

	s->facts.received_ns = sender->is_live ? clock_ns(CLOCK_REALTIME) : flow->last_ns;
	for (uint32_t k = 0; k < count; k++) {
		export_add(sequence, 1);
		s->facts.sequence = (uint32_t)atomic_load_explicit(sequence, memory_order_relaxed);
		parts[k].bytes = s->message[k];
		parts[k].n = goflow2_write(s->message[k], flow, ends[k], &s->facts);
	}
	return count;
}

/* Writes the key of a record, from the line if the line has the key. */
static size_t write_key(
	const struct kafka_state *s, const struct bpe_flow *flow, char key[KAFKA_KEY_BYTES])
{
	const struct kafka_settings *settings = &s->producer.settings;
	size_t n = 0;

	if (settings->key == KAFKA_KEY_COMMUNITY && settings->form == KAFKA_FORM_TEXT &&
		settings->format == BPE_FORMAT_JSON)
		n = kafka_key_copy(key, s->line);
	return n ? n : kafka_key_write(key, flow, settings->key);
}

static void record_kafka(struct export_sender *sender, const struct bpe_flow *flow)
{
	struct kafka_state *s = sender->state;
	const struct kafka_settings *settings = &s->producer.settings;
	struct kafka_part parts[KAFKA_PARTS_MOST];
	char key[KAFKA_KEY_BYTES];
	uint32_t count = 1;

	if (settings->form == KAFKA_FORM_TEXT) {
		const int n = bpe_flow_format(flow, settings->format, s->line, sizeof s->line);

		if (n <= 1) {
			export_add(&sender->books->unfit, 1);
			return;
		}
		parts[0] = (struct kafka_part){ s->line, (size_t)n - 1 };
	} else {
		count = write_messages(sender, flow, parts);
	}
	kafka_producer_send(&s->producer, key, write_key(s, flow, key), parts, count);
	if (++s->unpolled == POLLED_EVERY)
		poll_kafka(s);
}

static int work_kafka(struct export_sender *sender, int64_t now_ns, bool is_idle)
{
	struct kafka_state *s = sender->state;

	(void)is_idle;
	s->unpolled = 0;
	kafka_producer_poll(&s->producer, now_ns);
	return s->producer.messages ? BUSY_MS : IDLE_MS;
}

static void finish_kafka(struct export_sender *sender, int64_t until_ns)
{
	struct kafka_state *s = sender->state;

	kafka_producer_finish(&s->producer, until_ns);
}

static void close_kafka(struct export_sender *sender)
{
	struct kafka_state *s = sender->state;

	if (!s)
		return;
	kafka_producer_close(&s->producer);
	free(s);
	sender->state = NULL;
}

const struct export_sink kafka_sink = {
	.scheme = "kafka",
	.usage = KAFKA_USAGE,
	.check = check_kafka,
	.prepare = prepare_kafka,
	.open = open_kafka,
	.is_ready = is_kafka_ready,
	.record = record_kafka,
	.work = work_kafka,
	.finish = finish_kafka,
	.close = close_kafka,
	.finish_s = 60,
	.has_ip_bytes = true,
};
