/* SPDX-License-Identifier: MIT */
/* The help of the live view: every key, column and mark; pure. */
#include "top_text.h"

/* A line that begins with a blank is wrapped under its second column. */
static const char *const help[] = {
	"KEYS",
	" h ?          this help",
	" q            end the run, and report",
	" arrows j k   move the cursor; it stays with its flow while that is in the window",
	" PgUp PgDn    a page up or down",
	" Home End     the first row, whichever that is; the last row",
	" Enter        all that is known of a flow; of a group, its flows",
	" Esc          back; in the list: ends the view of a group, then the filter",
	" g G          group by: flows, hosts, pairs, services, processes, names, apps; G: backwards",
	" 1 to 7       flows, hosts, pairs, services, processes, names, apps",
	" c            flows that ended while the view was open (the latest 512), or the live ones",
	" s S          sort by the next, the one before: rate, bytes, packets, retransmissions, round trip, duration",
	" t b p        sort by rate, by bytes, by packets",
	" r            the other way round",
	" w            the average that -> and <- and the order by rate use: 2, 10 or 40 s",
	" u            rates in bytes/s or bit/s",
	" n            names of services in place of port numbers",
	" / f          filter: all words must be in address:port, protocol, state, end, name, app or process; !word must not; :443 is a port. Enter keeps the filter, Esc brings the former back, Ctrl-U empties the line",
	" space        pause: the list stays as it is, the capture goes on",
	" Ctrl-L       draw anew",
	"",
	"LINES",
	" first        the source, and the time of the run; of a file, the time of its packets",
	" second       packets and bits per second over the chosen average, flows that are alive, evicted flows, the sum of all packets; then the other averages",
	" Dropped      packets lost, by cause; (+n/s) is growing now; - is not counted by the source",
	" Packets/s    the busiest protocols",
	" Link         the rate of each second, the latest at the right; with a longer --stats-interval, of each interval",
	" Chosen       the same for the flow under the cursor",
	" Mean         the run is over: all rates are averages over the whole run",
	"",
	"COLUMNS",
	" originator   who began: the sender of the first SYN, else of the first packet",
	" responder    the other end",
	" host         of a group: a host; -> is what the host sent, <- what it received",
	" other host   of a pair; -> goes from the first to the other host",
	" service      the responder's port; -> goes to the service",
	" flows        how many flows the group has",
	" proto        protocol over IP",
	" app          what was recognised in the payload: tls, http, dns and more",
	" -> <-        rate of each direction: from the left end, to the left end",
	" 2 s 10 s 40 s rate of both directions, averaged over so long",
	" mean         the same over the whole run, after its end",
	" pkt/s        packets per second, both directions",
	" bytes        on the wire, both directions; -> bytes and <- bytes: each",
	" packets      both directions",
	" state        of TCP; of ICMP the identifier",
	" end          why a closed flow ended: closed (TCP), idle, evicted",
	" rtt ms       round trip in milliseconds: lately, else of the handshake",
	" retr         TCP segments sent again",
	" time s       from the first packet to the last; of a group, of its oldest flow",
	" name         of the responder: by TLS, QUIC, HTTP, DNS, mDNS or DHCP",
	" process      name and number, where known",
	"",
	"MARKS",
	" -            not known, or there is none. A flow that was too small for the look before has no rate yet",
	" k M G T      thousand, million, and so on; not 1024",
	" v ^          or triangles: the list is sorted by this column, the largest or the smallest first",
	" ~            or three dots: the middle of an address was cut out; both its ends are whole",
	" ?            a character that is not fit for a terminal",
	" 3/200        the cursor is in row 3 of 200",
	" of the 2000 largest   there are more flows than the view asks for; groups and filter see these alone",
	" PAUSED ENDED   the list stands still; the run is over",
};

void top_page_help(struct top_page *p, bool utf8)
{
	p->utf8 = utf8;
	for (size_t i = 0; i < sizeof help / sizeof *help; i++) {
		const bool is_item = help[i][0] == ' ';

		top_page_add(p, help[i] + is_item, is_item ? 13 : 0);
	}
}
