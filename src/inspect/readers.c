/* SPDX-License-Identifier: MIT */
/* The table of the readers of protocols.  A reader takes no other's payload, so that the order
 * matters for speed alone: the frequent protocols come first.  Pure. */
#include "inspect/readers.h"

#include "inspect/dns.h"
#include "inspect/quic.h"
#include "inspect/tls.h"

/* TLS can begin behind a negotiation in these protocols, which are read for the sake of TLS too. */
#define OUTER (BPE_NAMES_APPS | BPE_NAMES_TLS)
#define HOSTS (BPE_NAMES_APPS | BPE_NAMES_HOSTS)

const struct bpei_reader bpei_readers[] = {
	{ BPE_APP_TLS, BPEI_OVER_TCP, OUTER | BPE_NAMES_JA3, bpei_read_tls },
	{ BPE_APP_DTLS, BPEI_OVER_UDP, OUTER | BPE_NAMES_JA3, bpei_read_dtls },
	{ BPE_APP_QUIC, BPEI_OVER_UDP, BPE_NAMES_APPS | BPE_NAMES_QUIC, bpei_read_quic },
	{ BPE_APP_HTTP, BPEI_OVER_TCP, OUTER | BPE_NAMES_HTTP, bpei_read_http },
	{ BPE_APP_SSH, BPEI_OVER_TCP, BPE_NAMES_APPS | BPE_NAMES_SSH, bpei_read_ssh },
	{ BPE_APP_HTTP2, BPEI_OVER_TCP, BPE_NAMES_APPS, bpei_read_http2 },
	{ BPE_APP_SMTP, BPEI_OVER_TCP, OUTER, bpei_read_smtp },
	{ BPE_APP_IMAP, BPEI_OVER_TCP, OUTER, bpei_read_imap },
	{ BPE_APP_POP3, BPEI_OVER_TCP, OUTER, bpei_read_pop3 },
	{ BPE_APP_FTP, BPEI_OVER_TCP, OUTER, bpei_read_ftp },
	{ BPE_APP_SIP, BPEI_OVER_TCP | BPEI_OVER_UDP, BPE_NAMES_APPS, bpei_read_sip },
	{ BPE_APP_RTSP, BPEI_OVER_TCP, BPE_NAMES_APPS, bpei_read_rtsp },
	{ BPE_APP_MQTT, BPEI_OVER_TCP, BPE_NAMES_APPS, bpei_read_mqtt },
	{ BPE_APP_POSTGRESQL, BPEI_OVER_TCP, OUTER, bpei_read_postgresql },
	{ BPE_APP_MYSQL, BPEI_OVER_TCP, OUTER, bpei_read_mysql },
	{ BPE_APP_REDIS, BPEI_OVER_TCP, BPE_NAMES_APPS, bpei_read_redis },
	/* Names of hosts come from DNS and from the protocols of its kind. */
	{ BPE_APP_MDNS, BPEI_OVER_UDP, HOSTS | BPE_NAMES_DNS, bpei_read_mdns },
	{ BPE_APP_LLMNR, BPEI_OVER_UDP, HOSTS | BPE_NAMES_DNS, bpei_read_llmnr },
	{ BPE_APP_DNS, BPEI_OVER_UDP | BPEI_OVER_TCP, BPE_NAMES_APPS | BPE_NAMES_DNS,
		bpei_read_dns },
	{ BPE_APP_DHCP, BPEI_OVER_UDP, HOSTS, bpei_read_dhcp },
	{ BPE_APP_DHCPV6, BPEI_OVER_UDP, HOSTS, bpei_read_dhcp6 },
	{ BPE_APP_SOCKS, BPEI_OVER_TCP, OUTER | BPE_NAMES_HTTP, bpei_read_socks },
	{ BPE_APP_NTP, BPEI_OVER_UDP, BPE_NAMES_APPS, bpei_read_ntp },
	{ BPE_APP_SNMP, BPEI_OVER_UDP, BPE_NAMES_APPS, bpei_read_snmp },
	{ BPE_APP_STUN, BPEI_OVER_UDP | BPEI_OVER_TCP, OUTER, bpei_read_stun },
	{ BPE_APP_WIREGUARD, BPEI_OVER_UDP, BPE_NAMES_APPS, bpei_read_wireguard },
	{ BPE_APP_BITTORRENT, BPEI_OVER_TCP | BPEI_OVER_UDP, BPE_NAMES_APPS, bpei_read_bittorrent },
};
const uint32_t bpei_reader_count = sizeof bpei_readers / sizeof *bpei_readers;
