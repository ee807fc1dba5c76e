/* SPDX-License-Identifier: MIT */
/* The numbers of link types, ethertypes and IP protocols that the engine knows, each defined here
 * and nowhere else.  Their printed names are beside, in linktype.c and protocol.c.  Sources:
 * tcpdump.org's LINKTYPE_ registry; IEEE's registry of ethertypes; IANA's of protocol numbers. */
#ifndef BPEI_NUMBERS_H
#define BPEI_NUMBERS_H

/* LINKTYPE_ values, which savefiles store.  A device's DLT_ values can differ (device/bpf_abi.c).
 */
enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_IEEE802 = 6, /* token ring */
	LINK_SLIP = 8,
	LINK_PPP = 9,
	LINK_FDDI = 10,
	LINK_RAW_12 = 12, /* DLT_RAW of most systems, found in savefiles */
	LINK_RAW_14 = 14, /* OpenBSD's DLT_RAW */
	LINK_PPP_SERIAL = 50,
	LINK_PPP_ETHER = 51,
	LINK_RFC1483 = 100,
	LINK_RAW = 101,
	LINK_C_HDLC = 104,
	LINK_WLAN = 105,
	LINK_FRELAY = 107,
	LINK_LOOP = 108,
	LINK_ENC = 109,
	LINK_SLL = 113,
	LINK_PFLOG = 117,
	LINK_PRISM = 119,
	LINK_FIBRE = 122,
	LINK_SUNATM = 123,
	LINK_RADIOTAP = 127,
	LINK_IP1394 = 138,
	LINK_MTP2_PHDR = 139,
	LINK_MTP2 = 140,
	LINK_IRDA = 144,
	LINK_AVS = 163,
	LINK_PPPD = 166,
	LINK_LAPD = 177,
	LINK_USB_LINUX = 189,
	LINK_PPI = 192,
	LINK_ERF = 197,
	LINK_HCI_PHDR = 201,
	LINK_PPP_DIR = 204,
	LINK_LAPB_DIR = 207,
	LINK_USB_LINUX_MMAPPED = 220,
	LINK_IPNET = 226,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_DBUS = 231,
	LINK_PFSYNC = 246,
	LINK_USBPCAP = 249,
	LINK_PKTAP = 258,
	LINK_SLL2 = 276,
	LINK_EBHSCR = 279
};

/* Ethertypes.  A smaller number than TYPE_LEAST is an IEEE 802.3 length. */
enum {
	TYPE_LEAST = 0x0600,
	TYPE_IP4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_ERSPAN3 = 0x22eb,
	TYPE_DECNET = 0x6003,
	TYPE_EOIP = 0x6400,
	TYPE_BRIDGED = 0x6558, /* an Ethernet frame ("transparent Ethernet bridging") */
	TYPE_RARP = 0x8035,
	TYPE_ATALK = 0x809b,
	TYPE_AARP = 0x80f3,
	TYPE_VLAN = 0x8100,
	TYPE_IP6 = 0x86dd,
	TYPE_SLOW_PROTOCOLS = 0x8809,
	TYPE_PPP = 0x880b,
	TYPE_WCCP = 0x883e,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_MULTICAST = 0x8848,
	TYPE_PPPOE_DISCOVERY = 0x8863,
	TYPE_PPPOE = 0x8864, /* a session's packets */
	TYPE_EAPOL = 0x888e,
	TYPE_QINQ = 0x88a8,
	TYPE_ERSPAN = 0x88be,
	TYPE_LLDP = 0x88cc,
	TYPE_MACSEC = 0x88e5,
	TYPE_PBB = 0x88e7,
	TYPE_PTP = 0x88f7,
	TYPE_PRP = 0x88fb,
	TYPE_CFM = 0x8902,
	TYPE_FABRICPATH = 0x8903,
	TYPE_CISCO_METADATA = 0x8909,
	TYPE_VNTAG = 0x8926,
	TYPE_HSR = 0x892f,
	TYPE_ETAG = 0x893f,
	TYPE_NSH = 0x894f,
	TYPE_QINQ_OLD = 0x9100,
	TYPE_ARISTA = 0xd28b
};

/* IP protocol numbers: the protocol field of IPv4, the next header field of IPv6. */
enum {
	IP_HOPOPTS = 0,
	IP_ICMP = 1,
	IP_IGMP = 2,
	IP_IPIP = 4,
	IP_TCP = 6,
	IP_UDP = 17,
	IP_DCCP = 33,
	IP_IPV6 = 41,
	IP_ROUTING = 43,
	IP_FRAGMENT = 44,
	IP_RSVP = 46,
	IP_GRE = 47,
	IP_ESP = 50,
	IP_AH = 51,
	IP_ICMP6 = 58,
	IP_DSTOPTS = 60,
	IP_EIGRP = 88,
	IP_OSPF = 89,
	IP_ETHERIP = 97,
	IP_PIM = 103,
	IP_VRRP = 112,
	IP_L2TP = 115,
	IP_SCTP = 132,
	IP_MOBILITY = 135,
	IP_UDPLITE = 136,
	IP_MPLS = 137,
	IP_HIP = 139,
	IP_SHIM6 = 140,
	IP_ETHERNET = 143
};

#endif
