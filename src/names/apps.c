/* SPDX-License-Identifier: MIT */
/* Protocols of payload, sources of names and owners of flows by the names that records print.
 * Pure. */
#include "bpfengine.h"

const char *bpe_app_name(int app)
{
	static const char *const names[BPE_APP_COUNT] = {
		[BPE_APP_NONE] = "",
		[BPE_APP_TLS] = "tls",
		[BPE_APP_DTLS] = "dtls",
		[BPE_APP_QUIC] = "quic",
		[BPE_APP_DNS] = "dns",
		[BPE_APP_MDNS] = "mdns",
		[BPE_APP_LLMNR] = "llmnr",
		[BPE_APP_DHCP] = "dhcp",
		[BPE_APP_DHCPV6] = "dhcpv6",
		[BPE_APP_HTTP] = "http",
		[BPE_APP_SSH] = "ssh",
		[BPE_APP_SMTP] = "smtp",
		[BPE_APP_IMAP] = "imap",
		[BPE_APP_POP3] = "pop3",
		[BPE_APP_FTP] = "ftp",
		[BPE_APP_SIP] = "sip",
		[BPE_APP_RTSP] = "rtsp",
		[BPE_APP_MQTT] = "mqtt",
		[BPE_APP_POSTGRESQL] = "postgresql",
		[BPE_APP_MYSQL] = "mysql",
		[BPE_APP_REDIS] = "redis",
		[BPE_APP_NTP] = "ntp",
		[BPE_APP_SNMP] = "snmp",
		[BPE_APP_STUN] = "stun",
		[BPE_APP_WIREGUARD] = "wireguard",
		[BPE_APP_BITTORRENT] = "bittorrent",
		[BPE_APP_SOCKS] = "socks",
		[BPE_APP_HTTP2] = "http2",
	};

	return app >= 0 && app < BPE_APP_COUNT ? names[app] : NULL;
}

const char *bpe_name_source_name(int source)
{
	static const char *const names[BPE_NAME_COUNT] = {
		[BPE_NAME_NONE] = "",
		[BPE_NAME_TLS] = "tls",
		[BPE_NAME_QUIC] = "quic",
		[BPE_NAME_HTTP] = "http",
		[BPE_NAME_DNS] = "dns",
		[BPE_NAME_MDNS] = "mdns",
		[BPE_NAME_DHCP] = "dhcp",
	};

	return source >= 0 && source < BPE_NAME_COUNT ? names[source] : NULL;
}

const char *bpe_owner_name(int owner)
{
	static const char *const names[] = {
		[BPE_OWNER_UNKNOWN] = "unknown",
		[BPE_OWNER_NONE] = "none",
		[BPE_OWNER_KNOWN] = "known",
	};

	return owner >= 0 && owner <= BPE_OWNER_KNOWN ? names[owner] : NULL;
}
