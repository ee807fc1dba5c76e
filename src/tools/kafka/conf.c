/* SPDX-License-Identifier: MIT */
/* The configuration of librdkafka (producer.h).
 *
 * Secrets come from files, which are read before rights are given up.  The configuration keeps the
 * secrets: librdkafka needs them whenever a broker is connected anew. */
#include "producer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_BYTES = 65536 };

/* A configuration under construction, and where the reason of a failure goes. */
struct conf_build {
	rd_kafka_conf_t *conf;
	char *why;
	size_t room;
};

/* Sets a property.  Returns 0, or -1 with librdkafka's reason. */
static int set_property(const struct conf_build *b, const char *name, const char *value)
{
	char reason[256];

	if (rd_kafka_conf_set(b->conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
		return 0;
	snprintf(b->why, b->room, "librdkafka %s refuses %s: %s", rd_kafka_version_str(), name,
		reason);
	return -1;
}

rd_kafka_conf_t *kafka_conf_build(const struct kafka_settings *s, char *why, size_t room)
{
	const struct conf_build b = { rd_kafka_conf_new(), why, room };

	for (uint32_t k = 0; k < s->count; k++)
		if (set_property(&b, s->properties[k].name, s->properties[k].value)) {
			rd_kafka_conf_destroy(b.conf);
			return NULL;
		}
	return b.conf;
}

/* Forgets a secret; the compiler may not leave this out. */
static void forget_secret(char *text, size_t n)
{
	volatile char *at = text;

	while (n--)
		*at++ = 0;
}

/* Reads a file of text into SECRET_BYTES.  Returns 0, or -1 with the reason. */
static int read_secret(const struct conf_build *b, const char *path, char *text)
{
	FILE *file = fopen(path, "r");

	if (!file) {
		snprintf(b->why, b->room, "%s: %s", path, strerror(errno));
		return -1;
	}
	setvbuf(file, NULL, _IONBF, 0);
	const size_t n = fread(text, 1, SECRET_BYTES - 1, file);
	const bool is_whole = !ferror(file) && feof(file);

	fclose(file);
	text[n] = 0;
	if (is_whole && n && strlen(text) == n)
		return 0;
	snprintf(b->why, b->room, "%s: the file has no text of 1 to %d bytes", path,
		SECRET_BYTES - 2);
	return -1;
}

/* Sets a property from a file.  is_line: from the first line, without its end. */
static int set_from_file(
	const struct conf_build *b, const char *name, const char *path, bool is_line)
{
	char *text = malloc(SECRET_BYTES);
	int result = -1;

	if (!text) {
		snprintf(b->why, b->room, "no memory for %s", path);
		return -1;
	}
	if (!read_secret(b, path, text)) {
		if (is_line)
			text[strcspn(text, "\r\n")] = 0;
		result = set_property(b, name, text);
	}
	forget_secret(text, SECRET_BYTES);
	free(text);
	return result;
}

int kafka_conf_read_files(
	rd_kafka_conf_t *conf, const struct kafka_settings *s, char *why, size_t room)
{
	const struct conf_build b = { conf, why, room };

	if (s->password_file && set_from_file(&b, "sasl.password", s->password_file, true))
		return -1;
	if (s->certificate_file &&
		(set_from_file(&b, "ssl.certificate.pem", s->certificate_file, false) ||
			set_from_file(&b, "ssl.key.pem", s->private_key_file, false)))
		return -1;
	if (!s->ca_file)
		return 0;
	if (rd_kafka_version() >= 0x01080000) /* where ssl.ca.pem begins */
		return set_from_file(&b, "ssl.ca.pem", s->ca_file, false);
	return set_property(&b, "ssl.ca.location", s->ca_file);
}
