/* SPDX-License-Identifier: MIT */
/* Tests what the words of a target become, and which words are refused. */
#include "tools/kafka/settings.h"

#include <criterion/criterion.h>

static struct export_address address;
static struct kafka_settings settings;
static char why[400];

/* Reads a target.  Returns as kafka_settings_read. */
static int read_target(const char *text)
{
	why[0] = 0;
	cr_assert_eq(export_address_read(&address, text, why, sizeof why), 0, "%s", why);
	return kafka_settings_read(&settings, &address, why, sizeof why);
}

/* Returns the value of the last property of the name, which is librdkafka's choice, or "". */
static const char *last_property(const char *name)
{
	const char *value = "";

	for (uint32_t k = 0; k < settings.count; k++)
		if (!strcmp(settings.properties[k].name, name))
			value = settings.properties[k].value;
	return value;
}

static void expect_target(const char *text)
{
	cr_assert_eq(read_target(text), 0, "%s: %s", text, why);
}

static void expect_refused(const char *text, const char *reason)
{
	cr_assert_eq(read_target(text), -1, "%s is accepted", text);
	cr_assert(strstr(why, reason), "%s: %s", text, why);
}

Test(settings, defaults)
{
	expect_target("kafka://b1,b2:9093/flows");
	cr_assert_str_eq(settings.topic, "flows");
	cr_assert_eq(settings.form, KAFKA_FORM_TEXT);
	cr_assert_eq(settings.format, BPE_FORMAT_JSON);
	cr_assert_eq(settings.key, KAFKA_KEY_COMMUNITY);
	cr_assert_eq(settings.buffer_bytes, 64u << 20);
	cr_assert_eq(settings.buffer_messages, 524288);
	cr_assert_str_eq(last_property("bootstrap.servers"), "b1,b2:9093");
	cr_assert_str_eq(last_property("enable.idempotence"), "true");
	cr_assert_str_eq(last_property("acks"), "all");
	cr_assert_str_eq(last_property("compression.codec"), "lz4");
	cr_assert_str_eq(last_property("linger.ms"), "50");
	cr_assert_str_eq(last_property("message.timeout.ms"), "300000");
	cr_assert_str_eq(last_property("security.protocol"), "plaintext");
	cr_assert_str_eq(last_property("queue.buffering.max.messages"), "525288");
}

Test(settings, words)
{
	expect_target("kafka://[::1]:9092/f?format=proto&key=hash&compression=zstd&acks=1&linger=5"
		      "&buffer=2M&timeout=7&domain=9&sampler=192.0.2.7");
	cr_assert_eq(settings.form, KAFKA_FORM_PROTO);
	cr_assert_eq(settings.key, KAFKA_KEY_HASH);
	cr_assert_eq(settings.buffer_bytes, 2u << 20);
	cr_assert_eq(settings.timeout_s, 7);
	cr_assert_eq(settings.domain, 9);
	cr_assert_eq(settings.sampler_bytes, 4);
	cr_assert(!memcmp(settings.sampler, "\xc0\x00\x02\x07", 4));
	cr_assert_str_eq(last_property("enable.idempotence"), "false");
	cr_assert_str_eq(last_property("acks"), "1");
	cr_assert_str_eq(last_property("linger.ms"), "5");
	expect_target("kafka://b/f?format=proto-single&sampler=2001:db8::1");
	cr_assert_eq(settings.form, KAFKA_FORM_PROTO_SINGLE);
	cr_assert_eq(settings.sampler_bytes, 16);
	expect_target("kafka://b/f?format=ecs&key=none");
	cr_assert_eq(settings.format, BPE_FORMAT_ECS);
	cr_assert_eq(settings.key, KAFKA_KEY_NONE);
}

Test(settings, security)
{
	expect_target("kafka://b/f?security=sasl_ssl&user=u&password-file=p&ca=c&certificate=d"
		      "&private-key=k");
	cr_assert_str_eq(settings.password_file, "p");
	cr_assert_str_eq(settings.ca_file, "c");
	cr_assert_str_eq(settings.certificate_file, "d");
	cr_assert_str_eq(settings.private_key_file, "k");
	cr_assert_str_eq(last_property("security.protocol"), "sasl_ssl");
	cr_assert_str_eq(last_property("sasl.mechanisms"), "SCRAM-SHA-512");
	cr_assert_str_eq(last_property("sasl.username"), "u");
	expect_target("kafka://b/f?security=sasl_plaintext&mechanism=PLAIN&user=u&password-file=p");
	cr_assert_str_eq(last_property("sasl.mechanisms"), "PLAIN");
	expect_refused("kafka://b/f?user=u", "want security=sasl_ssl");
	expect_refused("kafka://b/f?security=sasl_ssl&user=u", "password-file=PATH");
	expect_refused("kafka://b/f?ca=c", "want security=ssl");
	expect_refused("kafka://b/f?security=sasl_plaintext&ca=c", "want security=ssl");
	expect_refused("kafka://b/f?security=ssl&certificate=c", "give both");
	expect_refused("kafka://b/f?security=tls", "plaintext|ssl|sasl_plaintext|sasl_ssl");
}

Test(settings, properties_of_librdkafka)
{
	expect_target(
		"kafka://b/f?rdkafka.linger.ms=9&rdkafka.topic.metadata.refresh.fast.interval.ms=8");
	cr_assert_str_eq(last_property("linger.ms"), "9");
	cr_assert_str_eq(last_property("topic.metadata.refresh.fast.interval.ms"), "8");
	expect_refused("kafka://b/f?rdkafka.sasl.password=x", "password-file");
	expect_refused("kafka://b/f?rdkafka.ssl.key.password=x", "every user sees");
	expect_refused("kafka://b/f?rdkafka.bootstrap.servers=x", "before the topic");
	expect_refused("kafka://b/f?rdkafka.queue.buffering.max.messages=1", "buffer=SIZE");
	expect_refused("kafka://b/f?rdkafka.delivery.report.only.error=true", "the books");
}

Test(settings, refused)
{
	expect_refused("kafka:flows", "no broker");
	expect_refused("kafka://b", "no topic");
	expect_refused("kafka://b/a%2fb", "no name of a topic");
	expect_refused("kafka://b/..", "no name of a topic");
	expect_refused("kafka://b,/f", "behind the last comma");
	expect_refused("kafka://b:0/f", "broker \"b:0\"");
	expect_refused("kafka://b,::1/f", "brackets");
	expect_refused(
		"kafka://b/f?format=csv", "format wants json|zeek|eve|ecs|proto|proto-single");
	expect_refused("kafka://b/f?key=host", "key wants community|hash|none");
	expect_refused("kafka://b/f?compression=xz", "lz4|none|zstd|gzip|snappy");
	expect_refused("kafka://b/f?acks=2", "all|1|0");
	expect_refused("kafka://b/f?buffer=1K", "from 1M to");
	expect_refused("kafka://b/f?linger=x", "linger wants");
	expect_refused("kafka://b/f?linger=2000&timeout=2", "linger is longer");
	expect_refused("kafka://b/f?sampler=host", "sampler wants an address");
	expect_refused("kafka://b/f?colour=red", "there is no parameter colour");
}
