/* SPDX-License-Identifier: MIT */
/* Settings of a target kafka:// (settings.h); pure.
 *
 * The parameters with short names become properties of librdkafka.  rdkafka.NAME=VALUE follows
 * behind these, so the user's property wins.  Properties that would break the books, or show a
 * secret in the list of processes, are refused. */
#include "settings.h"

#include "tools/common/option.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define PREFIX "rdkafka."
#define TOPIC_BYTES_MOST 249
#define TOPIC_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/* Where the reason of a failure goes. */
struct settings_why {
	char *text;
	size_t room;
};

static int refuse_settings(const struct settings_why *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes the reason.  Returns -1. */
static int refuse_settings(const struct settings_why *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, why->room, format, args);
	va_end(args);
	return -1;
}

static void add_property(struct kafka_settings *s, const char *name, const char *value)
{
	s->properties[s->count++] = (struct kafka_property){ name, value };
}

static void add_number_property(struct kafka_settings *s, const char *name, uint64_t value)
{
	char *word = s->words + s->words_used;
	const size_t room = sizeof s->words - s->words_used;

	s->words_used += (uint32_t)snprintf(word, room, "%llu", (unsigned long long)value) + 1;
	add_property(s, name, word);
}

/* ---- Brokers and topic ---- */

static int check_brokers(const char *hosts, const struct settings_why *why)
{
	while (*hosts) {
		const size_t n = strcspn(hosts, ",");
		char one[512], host[256], reason[160];
		uint16_t port;

		snprintf(one, sizeof one, "%.*s", (int)n, hosts);
		if (export_host_split(one, 9092, host, &port, reason, sizeof reason))
			return refuse_settings(why, "broker \"%s\": %s", one, reason);
		hosts += n;
		if (*hosts && !*++hosts)
			return refuse_settings(why, "a broker is missing behind the last comma");
	}
	return 0;
}

static int check_topic(const char *topic, const struct settings_why *why)
{
	const size_t n = strlen(topic);

	if (!n)
		return refuse_settings(
			why, "no topic: write kafka://BROKERS/TOPIC, for example kafka://b1/flows");
	if (n > TOPIC_BYTES_MOST || strspn(topic, TOPIC_LETTERS) != n || !strcmp(topic, ".") ||
		!strcmp(topic, ".."))
		return refuse_settings(why,
			"\"%.40s\" is no name of a topic: up to %d of a-z A-Z 0-9 . _ -", topic,
			TOPIC_BYTES_MOST);
	return 0;
}

/* ---- Words ---- */

/* A word of a parameter and its number. */
struct settings_word {
	const char *word;
	uint32_t value;
};

static const struct settings_word formats[] = { { "json", BPE_FORMAT_JSON },
	{ "zeek", BPE_FORMAT_ZEEK }, { "eve", BPE_FORMAT_EVE }, { "ecs", BPE_FORMAT_ECS },
	{ "proto", BPE_FORMAT_COUNT }, { "proto-single", BPE_FORMAT_COUNT + 1 }, { NULL, 0 } };
static const struct settings_word keys[] = { { "community", KAFKA_KEY_COMMUNITY },
	{ "hash", KAFKA_KEY_HASH }, { "none", KAFKA_KEY_NONE }, { NULL, 0 } };
static const struct settings_word compressions[] = { { "lz4", 0 }, { "none", 1 }, { "zstd", 2 },
	{ "gzip", 3 }, { "snappy", 4 }, { NULL, 0 } };
static const struct settings_word acknowledgements[] = { { "all", 0 }, { "1", 1 }, { "0", 2 },
	{ NULL, 0 } };
static const struct settings_word securities[] = { { "plaintext", 0 }, { "ssl", 1 },
	{ "sasl_plaintext", 2 }, { "sasl_ssl", 3 }, { NULL, 0 } };

/* Finds the word that the user gave, or the first.  Returns NULL with the reason. */
static const struct settings_word *choose_word(const struct export_address *a, const char *name,
	const struct settings_word *words, const struct settings_why *why)
{
	const char *value = export_parameter(a, name, words->word);
	char known[120];
	size_t used = 0;

	for (const struct settings_word *w = words; w->word; w++) {
		if (!strcmp(w->word, value))
			return w;
		used += (size_t)snprintf(
			known + used, sizeof known - used, "%s%s", w == words ? "" : "|", w->word);
	}
	refuse_settings(why, "%s wants %s, not \"%.40s\"", name, known, value);
	return NULL;
}

static int read_message_form(
	struct kafka_settings *s, const struct export_address *a, const struct settings_why *why)
{
	const struct settings_word *format = choose_word(a, "format", formats, why);
	const struct settings_word *key = format ? choose_word(a, "key", keys, why) : NULL;

	if (!key)
		return -1;
	s->key = (enum kafka_key)key->value;
	if (format->value < BPE_FORMAT_COUNT)
		s->format = format->value;
	else
		s->form = format->value == BPE_FORMAT_COUNT ? KAFKA_FORM_PROTO
							    : KAFKA_FORM_PROTO_SINGLE;
	return 0;
}

/* ---- Numbers ---- */

static int read_room(
	struct kafka_settings *s, const struct export_address *a, const struct settings_why *why)
{
	const char *word = export_parameter(a, "buffer", "64M");
	const uint64_t least = 1 << 20;
	const uint64_t most = (uint64_t)1 << 40;

	if (!parse_size(word, 1, &s->buffer_bytes) || s->buffer_bytes < least ||
		s->buffer_bytes > most)
		return refuse_settings(
			why, "buffer wants a size from 1M to 1024G, not \"%.40s\"", word);
	s->buffer_messages = s->buffer_bytes / 128;
	if (s->buffer_messages > 4000000)
		s->buffer_messages = 4000000;
	/* librdkafka's own limits lie above ours, so the queue is never full. */
	add_number_property(s, "queue.buffering.max.messages", s->buffer_messages + 1000);
	add_number_property(s, "queue.buffering.max.kbytes", s->buffer_bytes / 1024 + 1024);
	return 0;
}

static int read_sampler(
	struct kafka_settings *s, const struct export_address *a, const struct settings_why *why)
{
	const char *word = export_parameter(a, "sampler", NULL);

	if (!word)
		return 0;
	s->sampler_bytes = strchr(word, ':') ? 16 : 4;
	if (inet_pton(s->sampler_bytes == 16 ? AF_INET6 : AF_INET, word, s->sampler) != 1)
		return refuse_settings(why, "sampler wants an address, not \"%.40s\"", word);
	return 0;
}

static int read_numbers(
	struct kafka_settings *s, const struct export_address *a, const struct settings_why *why)
{
	uint64_t linger_ms = 50;

	s->timeout_s = 300;
	if (export_number(a, "linger", 0, 900000, &linger_ms, why->text, why->room) ||
		export_number(a, "timeout", 1, 2000000, &s->timeout_s, why->text, why->room) ||
		export_number(a, "domain", 0, UINT32_MAX, &s->domain, why->text, why->room))
		return -1;
	if (linger_ms >= s->timeout_s * 1000)
		return refuse_settings(why, "linger is longer than timeout: linger counts in ms");
	add_number_property(s, "linger.ms", linger_ms);
	add_number_property(s, "message.timeout.ms", s->timeout_s * 1000);
	return read_room(s, a, why);
}

/* ---- Security ---- */

/* Reads the user and the password's file.  Returns 0, or -1 with the reason. */
static int read_sasl(struct kafka_settings *s, const struct export_address *a, bool is_sasl,
	const struct settings_why *why)
{
	const char *user = export_parameter(a, "user", NULL);
	const char *mechanism = export_parameter(a, "mechanism", NULL);

	s->password_file = export_parameter(a, "password-file", NULL);
	if (!is_sasl && (user || mechanism || s->password_file))
		return refuse_settings(why,
			"user, password-file and mechanism want security=sasl_ssl (or sasl_plaintext)");
	if (!is_sasl)
		return 0;
	add_property(s, "sasl.mechanisms", mechanism ? mechanism : "SCRAM-SHA-512");
	if (user)
		add_property(s, "sasl.username", user);
	if (user && !s->password_file)
		return refuse_settings(
			why, "user wants password-file=PATH, a file with the password");
	return 0;
}

static int read_security(
	struct kafka_settings *s, const struct export_address *a, const struct settings_why *why)
{
	const struct settings_word *security = choose_word(a, "security", securities, why);

	if (!security)
		return -1;
	s->ca_file = export_parameter(a, "ca", NULL);
	s->certificate_file = export_parameter(a, "certificate", NULL);
	s->private_key_file = export_parameter(a, "private-key", NULL);
	const bool is_tls = security->value & 1;

	if (!is_tls && (s->ca_file || s->certificate_file || s->private_key_file))
		return refuse_settings(
			why, "ca, certificate and private-key want security=ssl or sasl_ssl");
	if (!s->certificate_file != !s->private_key_file)
		return refuse_settings(why, "certificate and private-key go together: give both");
	add_property(s, "security.protocol", security->word);
	return read_sasl(s, a, security->value & 2, why);
}

/* ---- Properties ---- */

static int read_sending(
	struct kafka_settings *s, const struct export_address *a, const struct settings_why *why)
{
	const struct settings_word *compression = choose_word(a, "compression", compressions, why);
	const struct settings_word *acks =
		compression ? choose_word(a, "acks", acknowledgements, why) : NULL;

	if (!acks)
		return -1;
	add_property(s, "compression.codec", compression->word);
	if (!strcmp(compression->word, "zstd"))
		add_property(s, "compression.level", "1"); /* 3 takes 1 us more a record */
	add_property(s, "acks", acks->word);
	add_property(s, "enable.idempotence", acks->value ? "false" : "true");
	return 0;
}

/* Returns why a property of the user's is refused, or NULL. */
static const char *refused_property(const char *name)
{
	static const struct {
		const char *name, *advice;
	} refused[] = { { "bootstrap.servers", "name the brokers before the topic" },
		{ "metadata.broker.list", "name the brokers before the topic" },
		{ "sasl.password",
			"every user sees the words of a program: use password-file=PATH" },
		{ "ssl.key.password", "every user sees the words of a program: use a key without" },
		{ "ssl.keystore.password",
			"every user sees the words of a program: use private-key=PATH" },
		{ "sasl.oauthbearer.client.secret", "every user sees the words of a program" },
		{ "ssl.key.pem", "every user sees the words of a program: use private-key=PATH" },
		{ "queue.buffering.max.messages", "use buffer=SIZE" },
		{ "queue.buffering.max.kbytes", "use buffer=SIZE" },
		{ "delivery.report.only.error", "the books need each acknowledgement" },
		{ "statistics.interval.ms", "the state of the connection comes from these" },
		{ "transactional.id", "records are sent without transactions" },
		{ "message.timeout.ms", "use timeout=SECONDS" },
		{ "delivery.timeout.ms", "use timeout=SECONDS" }, { "acks", "use acks=all|1|0" },
		{ "request.required.acks", "use acks=all|1|0" } };

	for (size_t k = 0; k < sizeof refused / sizeof *refused; k++)
		if (!strcmp(name, refused[k].name))
			return refused[k].advice;
	return NULL;
}

static int add_users_properties(
	struct kafka_settings *s, const struct export_address *a, const struct settings_why *why)
{
	for (uint32_t k = 0; k < a->count; k++) {
		const char *name = a->parameters[k].name;

		if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		name += strlen(PREFIX);
		const char *advice = refused_property(name);

		if (advice)
			return refuse_settings(why, "rdkafka.%s is refused: %s", name, advice);
		add_property(s, name, a->parameters[k].value);
	}
	return 0;
}

static int check_parameter_names(const struct export_address *a, const struct settings_why *why)
{
	static const char *const known[] = { "format", "key", "compression", "acks", "linger",
		"buffer", "timeout", "security", "mechanism", "user", "password-file", "ca",
		"certificate", "private-key", "sampler", "domain", "rdkafka.NAME", NULL };
	struct export_address own = *a; /* without the properties, which librdkafka knows */

	own.count = 0;
	for (uint32_t k = 0; k < a->count; k++)
		if (strncmp(a->parameters[k].name, PREFIX, strlen(PREFIX)) != 0)
			own.parameters[own.count++] = a->parameters[k];
	return export_parameters_check(&own, known, why->text, why->room);
}

int kafka_settings_read(
	struct kafka_settings *s, const struct export_address *address, char *why_text, size_t room)
{
	const struct settings_why why = { why_text, room };

	memset(s, 0, sizeof *s);
	s->topic = address->path;
	if (!address->hosts[0])
		return refuse_settings(&why, "no broker: write " KAFKA_USAGE);
	if (check_brokers(address->hosts, &why) || check_topic(address->path, &why) ||
		check_parameter_names(address, &why))
		return -1;
	add_property(s, "bootstrap.servers", address->hosts);
	add_property(s, "client.id", "bpfengine");
	add_property(s, "partitioner", "murmur2_random"); /* as producers in Java */
	add_property(s, "statistics.interval.ms", "1000");
	add_property(s, "log.connection.close", "false");
	add_property(s, "socket.keepalive.enable", "true");
	add_property(s, "reconnect.backoff.max.ms", "2000");
	add_property(s, "topic.metadata.refresh.interval.ms", "10000");
	/* how long a topic may be unknown while brokers make it by themselves */
	add_property(s, "topic.metadata.propagation.max.ms", "10000");
	if (read_message_form(s, address, &why) || read_sampler(s, address, &why) ||
		read_numbers(s, address, &why) || read_security(s, address, &why) ||
		read_sending(s, address, &why))
		return -1;
	return add_users_properties(s, address, &why);
}
