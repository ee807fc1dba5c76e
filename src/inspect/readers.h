/* SPDX-License-Identifier: MIT */
/* The readers of protocols, each as struct bpei_reader has it (inspect.h). */
#ifndef BPEI_READERS_H
#define BPEI_READERS_H

#include "inspect/inspect.h"

enum bpei_verdict bpei_read_http(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_ssh(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_http2(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_smtp(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_imap(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_pop3(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_ftp(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_sip(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_rtsp(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_mqtt(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_postgresql(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_mysql(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_redis(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_socks(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_ntp(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_snmp(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_stun(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_wireguard(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);
enum bpei_verdict bpei_read_bittorrent(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said);

#endif
