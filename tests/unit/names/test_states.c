/* SPDX-License-Identifier: MIT */
/* Names of kinds of packets and of states of TCP. */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <string.h>

Test(states, every_kind_has_a_name_of_its_own)
{
	for (int k = 0; k < BPE_PROTO_COUNT; k++) {
		cr_assert_not_null(bpe_proto_name(k));
		for (int other = 0; other < k; other++)
			cr_assert_str_neq(bpe_proto_name(k), bpe_proto_name(other));
	}
	cr_assert_str_eq(bpe_proto_name(BPE_PROTO_TCP), "tcp");
	cr_assert_str_eq(bpe_proto_name(BPE_PROTO_GTP_PRIME), "gtp-prime");
	cr_assert_null(bpe_proto_name(-1));
	cr_assert_null(bpe_proto_name(BPE_PROTO_COUNT));
}

Test(states, every_state_has_a_name_of_its_own)
{
	for (int k = 0; k <= BPE_TCP_RESET; k++) {
		cr_assert_not_null(bpe_tcp_state_name(k));
		for (int other = 0; other < k; other++)
			cr_assert_str_neq(bpe_tcp_state_name(k), bpe_tcp_state_name(other));
	}
	cr_assert_str_eq(bpe_tcp_state_name(BPE_TCP_NONE), "");
	cr_assert_str_eq(bpe_tcp_state_name(BPE_TCP_ESTABLISHED), "established");
	cr_assert_null(bpe_tcp_state_name(-1));
	cr_assert_null(bpe_tcp_state_name(BPE_TCP_RESET + 1));
}
