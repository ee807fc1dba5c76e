/* SPDX-License-Identifier: MIT */
/* What a target kafka://BROKERS/TOPIC?NAME=VALUE asks for.  Pure: knows no librdkafka. */
#ifndef KAFKA_SETTINGS_H
#define KAFKA_SETTINGS_H

#include "keys.h"
#include "tools/export/export.h"

enum kafka_form {
	KAFKA_FORM_TEXT = 0,    /* a line of bpe_flow_format without its end */
	KAFKA_FORM_PROTO,       /* GoFlow2's message with its length in front */
	KAFKA_FORM_PROTO_SINGLE /* GoFlow2's message alone */
};

#define KAFKA_PROPERTIES_MOST 48
#define KAFKA_USAGE "kafka://BROKER[:9092][,BROKER...]/TOPIC[?format=json|proto&...]"

/* A property of librdkafka.  The texts are the address's or the program's own, or lie in words. */
struct kafka_property {
	const char *name, *value;
};

struct kafka_settings {
	const char *topic;
	enum kafka_form form;
	uint32_t format; /* KAFKA_FORM_TEXT: enum bpe_format */
	enum kafka_key key;
	uint64_t buffer_bytes, buffer_messages; /* in the hands of librdkafka at most */
	uint64_t timeout_s;                     /* after which a record without an answer failed */
	uint64_t domain;
	uint8_t sampler[16];
	uint8_t sampler_bytes; /* 4, 16; 0: not given */
	/* Files with secrets, which are read before rights are given up; NULL: none. */
	const char *password_file, *private_key_file, *certificate_file, *ca_file;
	uint32_t count;
	struct kafka_property properties[KAFKA_PROPERTIES_MOST];
	char words[128]; /* numbers of properties */
	uint32_t words_used;
};

/* Reads a target.  The address outlives the settings.  Returns 0, or -1 with the reason and advice
 * in why. */
int kafka_settings_read(
	struct kafka_settings *s, const struct export_address *address, char *why, size_t room);

#endif
