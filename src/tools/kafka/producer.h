/* SPDX-License-Identifier: MIT */
/* A producer of librdkafka with exact books.  All calls are for the sender's only thread. */
#ifndef KAFKA_PRODUCER_H
#define KAFKA_PRODUCER_H

#include "settings.h"

#include <librdkafka/rdkafka.h>

#define KAFKA_PARTS_MOST 2 /* messages of a record */
#define KAFKA_TOLD_MOST 8

/* A record of two messages, while the messages are under way. */
struct kafka_pair {
	uint32_t next; /* free: the next free pair + 1; 0: none */
	uint16_t left;
	uint16_t failed;
};

/* A failure that the user knows about. */
struct kafka_told {
	rd_kafka_resp_err_t error;
	int64_t told_ns;
};

struct kafka_producer {
	struct export_sender *sender;
	struct kafka_settings settings;
	rd_kafka_conf_t *conf; /* with all secrets; each handle gets a copy */
	rd_kafka_t *handle;
	rd_kafka_topic_t *topic;
	int wake[2];              /* librdkafka writes a byte when events wait; -1: none */
	uint64_t messages, bytes; /* under way */
	uint64_t records;         /* under way */
	struct kafka_pair *pairs; /* settings.buffer_messages */
	uint32_t free_pair;       /* + 1; 0: none */
	bool is_broken;           /* librdkafka gave up: a new handle is due */
	bool is_down;             /* the user knows that no broker answers */
	bool is_closing;          /* failures are the end's */
	int64_t now_ns;
	char reason[160]; /* the last error of a broker */
	struct kafka_told told[KAFKA_TOLD_MOST];
};

/* A part of a record: a message. */
struct kafka_part {
	const void *bytes;
	size_t n;
};

/* Builds the configuration.  Returns NULL with the reason in why. */
rd_kafka_conf_t *kafka_conf_build(const struct kafka_settings *s, char *why, size_t room);
/* Reads the files of the settings into the configuration.  Returns 0, or -1 with the reason. */
int kafka_conf_read_files(
	rd_kafka_conf_t *conf, const struct kafka_settings *s, char *why, size_t room);

/* Starts librdkafka.  Returns 0, or -1 with the reason in why. */
int kafka_producer_open(struct kafka_producer *p, char *why, size_t room);
/* Returns whether a record of two messages and 64 KiB has room. */
bool kafka_producer_has_room(const struct kafka_producer *p);
/* Hands a record over.  Counts the record at once if librdkafka refuses. */
void kafka_producer_send(struct kafka_producer *p, const char *key, size_t key_bytes,
	const struct kafka_part *parts, uint32_t count);
/* Takes acknowledgements and events; replaces a handle that gave up. */
void kafka_producer_poll(struct kafka_producer *p, int64_t now_ns);
/* Waits for acknowledgements until the time is over (CLOCK_MONOTONIC), then gives up the rest. */
void kafka_producer_finish(struct kafka_producer *p, int64_t until_ns);
void kafka_producer_close(struct kafka_producer *p);

#endif
