# SPDX-License-Identifier: MIT
# fmt: off
"""The numbers of bpfengine.h: written by scripts/python_layout.py, not by hand."""

from enum import IntEnum, IntFlag


class Status(IntEnum):
    """enum bpe_status."""
    OK = 0
    E_ARGUMENT = -1
    E_MEMORY = -2
    E_RIGHTS = -3
    E_ABSENT = -4
    E_BUSY = -5
    E_IO = -6
    E_FORMAT = -7
    E_TORN = -8
    E_GONE = -9
    E_UNSUPPORTED = -10
    E_STATE = -11
    E_END = -12


class Order(IntEnum):
    """enum bpe_order."""
    BYTES = 0
    PACKETS = 1


class Direction(IntEnum):
    """enum bpe_direction."""
    BOTH = 0
    IN = 1
    OUT = 2


class ReadMode(IntEnum):
    """enum bpe_read_mode."""
    AUTO = 0
    THROUGHPUT = 1
    LATENCY = 2
    PACED = 3


class Overload(IntEnum):
    """enum bpe_overload."""
    WAIT = 0
    DROP = 1


class Spread(IntEnum):
    """enum bpe_spread."""
    FLOW = 0
    HOST = 1
    SOURCE = 2
    DESTINATION = 3
    VLAN = 4
    TUNNEL = 5


class Fanout(IntEnum):
    """enum bpe_fanout."""
    NONE = 0
    HASH = 1
    LB = 2
    CPU = 3
    QM = 4


class Priority(IntEnum):
    """enum bpe_priority."""
    NORMAL = 0
    HIGH = 1
    REALTIME = 2


class RecordOverload(IntEnum):
    """enum bpe_record_overload."""
    AUTO = 0
    DROP = 1
    WAIT = 2


class Duplicates(IntEnum):
    """enum bpe_duplicates."""
    TELL = 0
    IGNORE = 1


class Timeout(IntEnum):
    """enum bpe_timeout."""
    TCP_OPENING = 0
    TCP_ESTABLISHED = 1
    TCP_CLOSING = 2
    TCP_CLOSED = 3
    UDP_ONE_WAY = 4
    UDP_TWO_WAY = 5
    ICMP = 6
    OTHER = 7


class Proto(IntEnum):
    """enum bpe_proto."""
    NONE = 0
    ARP = 1
    TCP = 2
    UDP = 3
    ICMP = 4
    ICMP6 = 5
    IGMP = 6
    SCTP = 7
    IP_OTHER = 8
    ETHERTYPE = 9
    LLC = 10
    LINKTYPE = 11
    UDPLITE = 12
    DCCP = 13
    CARP = 14
    WIREGUARD = 15
    STP = 16
    GTP_PRIME = 17


class TunnelKind(IntEnum):
    """enum bpe_tunnel_kind."""
    NONE = 0
    IPIP = 1
    GRE = 2
    ERSPAN = 3
    EOIP = 4
    WCCP = 5
    ETHERIP = 6
    MPLS_IP = 7
    SRV6 = 8
    VXLAN = 9
    VXLAN_GPE = 10
    GENEVE = 11
    GTPU = 12
    TEREDO = 13
    L2TP = 14
    GRE_UDP = 15
    MPLS_UDP = 16
    TZSP = 17
    CAPWAP = 18
    EOMPLS = 19
    PBB = 20
    NSH = 21
    FABRICPATH = 22
    VNTAG = 23
    ETAG = 24
    CISCO_METADATA = 25
    HSR = 26
    ARISTA = 27
    MACSEC = 28
    LLC_IP = 29
    MESH = 30
    AMSDU = 31


class NamesForm(IntEnum):
    """enum bpe_names_form."""
    WHOLE = 0
    DOMAIN = 1
    HASHED = 2


class App(IntEnum):
    """enum bpe_app."""
    NONE = 0
    TLS = 1
    DTLS = 2
    QUIC = 3
    DNS = 4
    MDNS = 5
    LLMNR = 6
    DHCP = 7
    DHCPV6 = 8
    HTTP = 9
    SSH = 10
    SMTP = 11
    IMAP = 12
    POP3 = 13
    FTP = 14
    SIP = 15
    RTSP = 16
    MQTT = 17
    POSTGRESQL = 18
    MYSQL = 19
    REDIS = 20
    NTP = 21
    SNMP = 22
    STUN = 23
    WIREGUARD = 24
    BITTORRENT = 25
    SOCKS = 26
    HTTP2 = 27


class NameSource(IntEnum):
    """enum bpe_name_source."""
    NONE = 0
    TLS = 1
    QUIC = 2
    HTTP = 3
    DNS = 4
    MDNS = 5
    DHCP = 6


class Owner(IntEnum):
    """enum bpe_owner."""
    UNKNOWN = 0
    NONE = 1
    KNOWN = 2


class TcpState(IntEnum):
    """enum bpe_tcp_state."""
    NONE = 0
    SYN_SENT = 1
    SYN_RECEIVED = 2
    ESTABLISHED = 3
    CLOSING = 4
    CLOSED = 5
    RESET = 6


class FlowEnd(IntEnum):
    """enum bpe_flow_end."""
    NONE = 0
    IDLE = 1
    CLOSED = 2
    EVICTED = 3
    STOP = 4
    ACTIVE = 5
    DUMPED = 6
    BEGUN = 7


class Evicted(IntEnum):
    """enum bpe_evicted."""
    SINGLE = 0
    HALF_OPEN = 1
    CLOSED = 2
    ALIVE = 3
    COLLISION = 4


class Format(IntEnum):
    """enum bpe_format."""
    JSON = 0
    ZEEK = 1
    EVE = 2
    CSV = 3
    ECS = 4


class EventKind(IntEnum):
    """enum bpe_event_kind."""
    DNS = 1
    TLS = 2
    QUIC = 3
    HTTP = 4
    SSH = 5


class Drop(IntEnum):
    """enum bpe_drop."""
    RING_FULL = 0
    STALLED = 1
    DUPLICATE = 2


class WriteFormat(IntEnum):
    """enum bpe_write_format."""
    AUTO = 0
    PCAPNG = 1
    PCAP = 2
    PCAP_NS = 3


class Compression(IntEnum):
    """enum bpe_compression."""
    AUTO = 0
    NONE = 1
    ZSTD = 2
    LZ4 = 3
    GZIP = 4


class WriteError(IntEnum):
    """enum bpe_write_error."""
    STOP = 0
    CONTINUE = 1


class WriteNames(IntEnum):
    """enum bpe_write_names."""
    OWN = 0
    TCPDUMP = 1
    DUMPCAP = 2
    DUMPCAP_TIME = 3


class WriteSplit(IntEnum):
    """enum bpe_write_split."""
    NONE = 0
    FLOW = 1
    HOST = 2
    PROCESS = 3


class Unwritten(IntEnum):
    """enum bpe_unwritten."""
    FULL = 0
    ERROR = 1
    LINK = 2
    CUTOFF = 3
    DUPLICATE = 4
    RECORDER = 5
    SPLIT = 6


class Dedup(IntEnum):
    """enum bpe_dedup."""
    FRAME = 0
    EXACT = 1
    IP = 2


class Way(IntEnum):
    """enum bpe_way."""
    NOT_TOLD = 0
    UNKNOWN = 1
    IN = 2
    OUT = 3


class PacketFlag(IntFlag):
    """BPE_PKT_* of bpfengine.h."""
    IP4 = 0x1
    IP6 = 0x2
    FRAGMENT = 0x4
    FIRST_FRAGMENT = 0x8
    KEY = 0x10
    REVERSED = 0x20
    VLAN = 0x40
    OUTGOING = 0x80
    TRUNCATED = 0x100
    BAD_VERSION = 0x200
    BAD_HEADER = 0x400
    BAD_LENGTH = 0x800
    WRONG = 0xf00
    TUNNEL = 0x1000
    ICMP_ERROR = 0x2000
    BAD_CHECKSUM = 0x4000


class FlowFlag(IntFlag):
    """BPE_FLOW_* of bpfengine.h."""
    MIDSTREAM = 0x1
    CONTINUED = 0x2
    CUT = 0x4
    BY_PORT = 0x8
    TUNNEL = 0x10
    ICMP = 0x20
    LENGTHS = 0x40
    INTERFACE_ID = 0x80
    HEALTH = 0x100
    CUTOFF = 0x200


class MetaFlag(IntFlag):
    """BPE_META_* of bpfengine.h."""
    DIRECTION = 0x1
    OUT = 0x2
    PROCESS = 0x4
    RETRANSMIT = 0x8
    START_SEQUENCE = 0x10
    LAST = 0x20
    WAKE = 0x40
    NEW_FLOW = 0x80
    KEEP_ALIVE = 0x100


class Mark(IntFlag):
    """BPE_MARK_* of bpfengine.h."""
    RETRANSMISSION = 0x1
    FAST = 0x2
    SPURIOUS = 0x4
    OUT_OF_ORDER = 0x8
    ZERO_WINDOW = 0x10
    LOST_BEFORE = 0x20
    UNSEEN_ACK = 0x40
    KEEP_ALIVE = 0x80
    REPEATED_ACK = 0x100
    DUPLICATE = 0x200
    LOST_OTHER = 0x400
    RTT = 0x800


class InterfaceFlag(IntFlag):
    """BPE_IF_* of bpfengine.h."""
    UP = 0x1
    RUNNING = 0x2
    LOOPBACK = 0x4
    PROMISCUOUS = 0x8


class Through(IntFlag):
    """BPE_THROUGH_* of bpfengine.h."""
    VLAN = 0x1
    MPLS = 0x2
    PPPOE = 0x4
    GRE = 0x8
    IPIP = 0x10
    VXLAN = 0x20
    GENEVE = 0x40
    GTPU = 0x80
    IPV6_EXT = 0x100


class TcpOption(IntFlag):
    """BPE_TCP_* of bpfengine.h."""
    MSS = 0x1
    WINDOW_SCALE = 0x2
    SACK_PERMITTED = 0x4
    SACK = 0x8
    TIMESTAMPS = 0x10
    OPTIONS_BAD = 0x80


class Known(IntFlag):
    """BPE_KNOWN_* of bpfengine.h."""
    RECEIVED = 0x1
    DROPPED = 0x2
    INTERFACE_DROPPED = 0x4
    ACCEPTED = 0x8


BATCH = 64
MAX_WORKERS = 64
MAX_SNAPLEN = 262144
MAX_INSNS = 512
TIMEOUT_ROOM = 16
WORKERS_AUTO = -1
NO_OFFSET = 65535
RSS_KEY_BYTES = 40
LAYERS_INNERMOST = 0
LAYERS_OUTERMOST = 1
NAMES_APPS = 1
NAMES_TLS = 2
NAMES_QUIC = 4
NAMES_DNS = 8
NAMES_HTTP = 16
NAMES_SSH = 32
NAMES_HOSTS = 64
NAMES_JA3 = 128
NAMES_ALL = 127
NAMED_OUTER = 1
NAMED_ECH = 2
NAMED_CUT = 4
NAMED_INNER = 8
NAMED_SERVER = 16
EVICTED_ROOM = 8
FLOW_VERSION = 1
COMMUNITY_ID_BYTES = 32
FORMAT_BYTES = 32768
DNS_QUERY = 1
DNS_ANSWER = 2
DNS_ANSWERS = 24
EVENT_FORMAT_BYTES = 65536
DROP_ROOM = 8
SIZE_CLASSES = 8
SIZE_ROOM = 16
STAT_GAUGE = 1
UNWRITTEN_ROOM = 8
ANONYMISE_MAC = 1
ANONYMISE_CUT_PAYLOAD = 2
ANONYMISE_ALL = 4
ANONYMISE_KEY_BYTES = 32
ADDRESS_TEXT_BYTES = 46
ENDPOINT_TEXT_BYTES = 56
TIME_TEXT_BYTES = 40
TIMEOUT_COUNT = 8
PROTO_COUNT = 18
TUNNEL_COUNT = 32
APP_COUNT = 28
NAME_COUNT = 7
EVICTED_COUNT = 5
FORMAT_COUNT = 5
EVENT_COUNT = 6
DROP_COUNT = 3
UNWRITTEN_COUNT = 7
