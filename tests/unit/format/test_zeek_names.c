/* SPDX-License-Identifier: MIT */
/* Tests of conn_state against a table of the decisions of Zeek's script: for each pair of states of
 * the two ends, and for histories alone. */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <string.h>

enum { F = 1, S = 2, R = 4, P = 8, A = 16 };

/* Returns the TCP flags for the letters of an end in the history. */
static uint8_t zeek_history_flags(const char *history, bool responder)
{
	uint8_t flags = 0;
	for (; *history; history++) {
		const char *at = strchr(responder ? "shadfri" : "SHADFRI", *history);
		static const uint8_t of[] = { S, S | A, A, P | A, F | A, R, F | R };
		if (at)
			flags |= of[at - (responder ? "shadfri" : "SHADFRI")];
	}
	return flags;
}

static const char *conn_state_of_history(const char *history)
{
	struct bpe_flow f = { .size = sizeof f,
		.ip_proto = 6,
		.tcp_state = BPE_TCP_ESTABLISHED,
		.tcp_flags = {
			zeek_history_flags(history, false), zeek_history_flags(history, true) } };
	cr_assert_lt(strlen(history), sizeof f.history);
	strcpy(f.history, history);
	f.packets[0] = f.tcp_flags[0] != 0;
	f.packets[1] = f.tcp_flags[1] != 0;
	return bpe_flow_conn_state(&f);
}

/* Histories that lead the originator (rows) and the responder (columns) to a state, and the
 * script's name for each pair (main.zeek, conn_state).  Columns: the responder inactive, partial,
 * established, closed, reset. */
static const struct {
	const char *history[5], *name[5];
} pairs[] = {
	/* inactive: only the responder was seen */
	{ { NULL, "d", "^h", "^hf", "^hr" }, { NULL, "OTH", "OTH", "SHR", "RSTRH" } },
	/* partial */
	{ { "D", "Dd", NULL, "Ddf", "Ddr" }, { "OTH", "OTH", NULL, "SHR", "RSTRH" } },
	/* SYN sent */
	{ { "S", "Sd", NULL, "Sf", "Sr" }, { "S0", "OTH", NULL, "S3", "REJ" } },
	/* established */
	{ { NULL, NULL, "ShADd", "ShADdf", "ShADdr" }, { NULL, NULL, "S1", "S3", "RSTR" } },
	/* closed */
	{ { "SF", "SdF", "ShADdF", "ShADdFf", "ShADdFr" }, { "SH", "SH", "S2", "SF", "RSTR" } },
	/* reset */
	{ { "SR", "SdR", "ShADdR", "ShADdfR", "ShADdRr" },
		{ "RSTOS0", "RSTOS0", "RSTO", "RSTO", "RSTR" } },
};

Test(conn_state, each_pair_of_states)
{
	uint32_t seen = 0;
	for (size_t o = 0; o < sizeof pairs / sizeof *pairs; o++)
		for (size_t r = 0; r < 5; r++) {
			if (!pairs[o].history[r])
				continue;
			cr_expect_str_eq(conn_state_of_history(pairs[o].history[r]),
				pairs[o].name[r], "%s: %s", pairs[o].history[r],
				conn_state_of_history(pairs[o].history[r]));
			seen++;
		}
	cr_assert_eq(seen, 25);
}

static const struct {
	const char *history, *state;
} known[] = {
	/* The originator resets: RSTOS0 for a lone SYN only, with any other segments between
	   SYN and reset (/\^?S[^HAFGIQ]*R.* / in the script). */
	{ "R", "OTH" },
	{ "DR", "OTH" },
	{ "SAR", "OTH" },
	{ "SFR", "OTH" },
	{ "SR", "RSTOS0" },
	{ "SDR", "RSTOS0" },
	{ "STR", "RSTOS0" },
	{ "SaR", "RSTOS0" },
	{ "SCR", "RSTOS0" },
	{ "SGR", "OTH" },
	{ "^SR", "RSTOS0" },
	{ "ASR", "OTH" },
	{ "DdR", "OTH" },
	{ "SAdR", "OTH" },
	{ "I", "OTH" },
	{ "SI", "OTH" },
	/* Both reset, without data and with it. */
	{ "SRr", "REJ" },
	{ "ShRr", "REJ" },
	{ "Rr", "REJ" },
	{ "rR", "REJ" },
	{ "ShARr", "REJ" },
	{ "ShADRr", "RSTR" },
	{ "ShAdrR", "RSTR" },
	{ "ShGRr", "RSTR" },
	/* The responder resets. */
	{ "Sr", "REJ" },
	{ "STr", "REJ" },
	{ "ShAr", "RSTR" },
	{ "^hr", "RSTRH" },
	{ "r", "RSTRH" },
	{ "dr", "RSTRH" },
	{ "^hAr", "RSTR" },
	{ "ShFr", "RSTR" },
	{ "Sar", "REJ" },
	{ "SHr", "REJ" },
	/* Both ends close: a reset behind both FINs, or between the two, is a close. */
	{ "ShADadFf", "SF" },
	{ "ShADadfF", "SF" },
	{ "ShADadFfR", "SF" },
	{ "ShADadFfr", "SF" },
	{ "ShADadFRf", "SF" },
	{ "ShADadfrF", "SF" },
	{ "ShADadFR", "RSTO" },
	{ "ShADadfR", "RSTO" },
	{ "ShADadFr", "RSTR" },
	{ "ShF", "S2" },
	{ "Shf", "S3" },
	{ "SFf", "SF" },
	{ "DdFf", "SF" },
	{ "DF", "SH" },
	{ "df", "SHR" },
	{ "F", "SH" },
	{ "f", "SHR" },
	/* Handshakes with a missing part, both ends at once, and an ACK before the
	   SYN-ACK. */
	{ "^hADd", "S1" },
	{ "^hADdFf", "SF" },
	{ "^h", "OTH" },
	{ "^hR", "RSTO" },
	{ "Ss", "S1" },
	{ "SsHh", "S1" },
	{ "Sa", "S0" },
	{ "Sah", "S1" },
	{ "ShAdDa", "S1" },
	{ "SA", "S0" },
	{ "ST", "S0" },
	{ "DS", "S0" },
	{ "A", "OTH" },
	{ "Aa", "OTH" },
	/* SYN with FIN. */
	{ "SQ", "S0" },
};

Test(conn_state, histories)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		cr_expect_str_eq(conn_state_of_history(known[i].history), known[i].state, "%s: %s",
			known[i].history, conn_state_of_history(known[i].history));
}

Test(conn_state, odd_segments)
{
	struct bpe_flow f = { .size = sizeof f,
		.ip_proto = 6,
		.tcp_state = BPE_TCP_SYN_SENT,
		.packets = { 1, 0 },
		.tcp_flags = { S | F, 0 },
		.history = "Q" };
	cr_assert_str_eq(bpe_flow_conn_state(&f), "SH");
	f.tcp_flags[0] = S | R;
	cr_assert_str_eq(bpe_flow_conn_state(&f), "OTH");
	f.tcp_flags[0] = 0;
	f.history[0] = 0; /* no flags at all */
	cr_assert_str_eq(bpe_flow_conn_state(&f), "OTH");
	f.tcp_flags[0] = S | A | F;
	f.tcp_flags[1] = S | A | F | R; /* without a history: the close comes before the reset */
	cr_assert_str_eq(bpe_flow_conn_state(&f), "SF");
}

Test(conn_state, an_icmp_error_is_no_answer)
{
	struct bpe_flow udp = {
		.size = sizeof udp, .ip_proto = 17, .packets = { 2, 2 }, .icmp_errors = { 0, 2 }
	};
	struct bpe_flow tcp = { .size = sizeof tcp,
		.ip_proto = 6,
		.tcp_state = BPE_TCP_SYN_SENT,
		.packets = { 1, 1 },
		.icmp_errors = { 0, 1 },
		.tcp_flags = { S, 0 },
		.history = "S" };
	cr_assert_str_eq(bpe_flow_conn_state(&udp), "S0");
	udp.packets[1] = 3;
	cr_assert_str_eq(bpe_flow_conn_state(&udp), "SF");
	udp.packets[0] = 0;
	udp.packets[1] = 2; /* the error came first */
	cr_assert_str_eq(bpe_flow_conn_state(&udp), "S0");
	cr_assert_str_eq(bpe_flow_conn_state(&tcp), "S0");
	tcp.icmp_errors[1] = 0; /* a packet without flags */
	cr_assert_str_eq(bpe_flow_conn_state(&tcp), "OTH");
}
