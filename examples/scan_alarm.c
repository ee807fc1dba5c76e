/* SPDX-License-Identifier: MIT */
/* scan_alarm INTERFACE|FILE: names each host that tried 20 ports or hosts in vain. */
#include <bpfengine.h>
#include <stdio.h>
#include <string.h>

#define ALARM 20u
#define ROOM 65536u /* targets and hosts; later ones are not followed */
#define KEY 34u     /* bytes of a target: from, to, port.  Of a host: from, the rest 0 */
static uint8_t keys[ROOM][KEY];
static uint32_t counts[ROOM]; /* 0: the key is free */

/* Returns how often the key was counted, this time included; 0: no room. */
static uint32_t count_key(const uint8_t key[KEY])
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	for (size_t k = 0; k < KEY; k++)
		hash = (hash ^ key[k]) * 16777619u;
	for (uint32_t k = 0; k < ROOM; k++, hash++)
		if (!counts[hash % ROOM] || !memcmp(keys[hash % ROOM], key, KEY))
			return memcpy(keys[hash % ROOM], key, KEY), ++counts[hash % ROOM];
	return 0;
}

static void check_flow(void *user, const struct bpe_flow *f, uint32_t worker)
{
	char name[BPE_ADDRESS_TEXT_BYTES], time[BPE_TIME_TEXT_BYTES];
	uint8_t host[KEY] = { 0 }, target[KEY];
	bool accepted = f->packets[1] > 0;
	(void)user, (void)worker;
	if (f->ip_proto == 6) /* a SYN-ACK; without a SYN nothing is known */
		accepted = f->tcp_flags[1] & 2 || f->flags & BPE_FLOW_MIDSTREAM;
	memcpy(host, f->addr, 16);
	memcpy(target, f->addr, 32);
	memcpy(target + 32, &f->port[1], 2);
	if (accepted || count_key(target) != 1 || count_key(host) != ALARM)
		return;
	bpe_address_text(f->addr[0], f->ip_version, name, sizeof name);
	bpe_time_text(f->last_ns, true, time, sizeof time);
	printf("%s %s has tried %u ports and hosts in vain\n", time, name, ALARM);
}

int main(int argc, char **argv)
{
	struct bpe_options o;
	struct bpe_engine *engine = NULL;
	struct bpe_error error = { 0 };
	bpe_options_init(&o);
	o.flow_timeout_ns[BPE_TIMEOUT_TCP_OPENING] = 5000000000;
	o.filter_expression = "tcp or udp";
	o.on_flow = check_flow;
	o.workers = 0; /* a single thread: the tables need no lock */
	if (bpe_options_set_source(&o, argc > 1 ? argv[1] : "", &error) < 0 ||
		bpe_engine_open(&o, &engine, &error) < 0 || bpe_engine_run(engine, 0, &error) < 0)
		fprintf(stderr, "scan_alarm: %s\n", error.text);
	bpe_engine_close(engine);
	return argc < 2 ? 2 : error.status < 0;
}
