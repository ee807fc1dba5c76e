/* SPDX-License-Identifier: MIT */
/* Names and numbers as people and JSON want them; pure. */
#include "cli.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Bytes of the UTF-8 sequence at s, 0 if it is none (overlong forms and surrogates are none). */
static int utf8(const unsigned char *s)
{
	if (s[0] < 0x80) return 1;
	int n = s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
	for (int i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80) return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0;
	return n;
}

void cli_json_string(FILE *to, const char *s)
{
	putc('"', to);
	for (const unsigned char *p = (const unsigned char *)s; *p;) {
		int n = utf8(p);
		if (!n) fputs("\\ufffd", to), n = 1;
		else if (*p == '"' || *p == '\\') fprintf(to, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f) fprintf(to, "\\u%04x", *p);
		else fwrite(p, 1, (size_t)n, to);
		p += n;
	}
	putc('"', to);
}

const char *cli_address(char *to, size_t room, const uint8_t *addr, int version)
{
	if (!inet_ntop(version == 6 ? AF_INET6 : AF_INET, addr, to, (socklen_t)room)) snprintf(to, room, "?");
	return to;
}

const char *cli_protocol(char *to, size_t room, uint8_t ip_proto, uint8_t ip_version)
{
	const char *name = ip_proto == (ip_version == 4 ? 58 : 1) ? NULL : bpe_ip_proto_name(ip_proto);	/* ICMP is of one IP version */
	if (name) snprintf(to, room, "%s", name);
	else snprintf(to, room, "ip-proto-%u", ip_proto);
	return to;
}

const char *cli_tcp_state(uint8_t state)
{
	static const char *const names[] = { "", "syn_sent", "syn_received", "established", "closing", "closed", "reset" };
	return state < sizeof names / sizeof *names ? names[state] : "?";
}

const char *cli_count(char *to, size_t room, double n)
{
	const char *units[] = { "", " k", " M", " G", " T" };
	int u = 0;
	for (; n >= 999.5 && u < 4; u++) n /= 1000;
	snprintf(to, room, u && n < 99.5 ? "%.1f%s" : "%.0f%s", n, units[u]);
	return to;
}
