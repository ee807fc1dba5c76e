#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""apps_live.py APPS_OF_FLOWS: protocols of live peers on loopback, recorded and recognised.

curl and Python's servers, ssh's client, and smtplib, ftplib, poplib and imaplib talk to servers on
random ports.  The payload of both ends becomes a savefile.  Its flows must have the peer's app and
names.  Needs no rights.  A missing peer is skipped by name.  The last line counts the cases.
"""

import ftplib, http.server, imaplib, os, poplib, shutil, smtplib, socket, struct, subprocess, sys
import tempfile, threading

PRINTER = os.path.abspath(sys.argv[1])
TIMEOUT_S = 550
passed = failed = skipped = 0


class Relay(threading.Thread):
    """Passes the bytes of one connection to a server and back, and keeps them in order."""

    def __init__(self, server_port):
        super().__init__(daemon=True)
        self.server_port, self.kept, self.lock = server_port, [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def pump(self, end, source, target):
        while data := source.recv(65536):
            with self.lock:
                self.kept.append((end, data))
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)

    def run(self):
        client = self.listener.accept()[0]
        server = socket.create_connection(("127.0.0.1", self.server_port))
        back = threading.Thread(target=self.pump, args=(1, server, client), daemon=True)
        back.start()
        try:
            self.pump(0, client, server)
            back.join()
        except OSError:
            pass  # a peer has closed hard; what was said before is kept


def packet(end, seq, ack, flags, data):
    """A packet of IPv4 and TCP in a record of pcap."""
    ports = (40000, 50000)
    ends = [bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))]
    tcp = struct.pack("!HHIIBBHHH", ports[end], ports[1 - end], seq, ack, 80, flags, 65535, 0, 0)
    head = struct.pack("!BBHHHBBH", 69, 0, 40 + len(data), 0, 0, 64, 6, 0)
    whole = head + ends[end] + ends[1 - end] + tcp + data
    return struct.pack("<IIII", 1, 0, len(whole), len(whole)) + whole


def write_savefile(path, kept):
    """The conversation as a savefile, in segments of 1,000 bytes."""
    sent = [1, 1]
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        file.write(packet(0, 0, 0, 2, b"") + packet(1, 0, 1, 18, b""))
        for end, data in kept:
            for at in range(0, len(data), 1000):
                part = data[at : at + 1000]
                file.write(packet(end, sent[end], sent[1 - end], 24, part))
                sent[end] += len(part)


def check(app, kept, **fields):
    """The flow of the conversation has the app, and fields by their place in the line."""
    global passed, failed
    places = {"server": 8, "method": 9, "status": 10, "banner": 11}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "talk.pcap")
        write_savefile(path, kept)
        done = subprocess.run(
            [PRINTER, path], capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
    line = done.stdout.rstrip("\n").split("\t")
    wrong = [] if len(line) > 11 and line[5] == app else [done.stdout + done.stderr]
    for name, value in fields.items():
        if not wrong and not line[places[name]].startswith(value):
            wrong.append(f"{name} is {line[places[name]]!r}, not {value!r}")
    passed += not wrong
    failed += bool(wrong)
    for text in wrong:
        print(f"{app}: {text}")


def skip(what):
    global skipped
    skipped += 1
    print("SKIP:", what, "is missing")


def serve_lines(greeting, answers):
    """A server of one connection that answers each line by its first word that is known."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        with listener.accept()[0] as peer, peer.makefile("rwb") as lines:
            lines.write(greeting)
            lines.flush()
            for line in lines:
                words = line.decode().upper().split()
                reply = next((answers[word] for word in words if word in answers), answers[""])
                lines.write(reply.replace(b"TAG", line.split()[0] if words else b""))
                lines.flush()
                if {"QUIT", "LOGOUT"} & set(words):
                    return

    threading.Thread(target=run, daemon=True).start()
    return Relay(listener.getsockname()[1])


def try_http():
    if not shutil.which("curl"):
        return skip("curl")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    relay = Relay(server.server_port)
    url = f"http://localhost:{relay.port}/no-such-file"
    command = ["curl", "-s", "--noproxy", "*", "-4", "-o", os.devnull, url]
    subprocess.run(command, check=False, timeout=TIMEOUT_S)
    relay.join(TIMEOUT_S)
    check("http", relay.kept, server="localhost", method="GET", status="404")


def try_ssh():
    if not shutil.which("ssh"):
        return skip("ssh")
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        with listener.accept()[0] as peer:
            peer.sendall(b"SSH-2.0-test\r\n")
            peer.settimeout(TIMEOUT_S)
            got = b""
            # the version, and the begin of the message behind, however they are cut
            while got.find(b"\n") < 0 or len(got) < got.find(b"\n") + 64:
                part = peer.recv(65536)
                if not part:
                    break
                got += part

    threading.Thread(target=run, daemon=True).start()
    relay = Relay(listener.getsockname()[1])
    command = ["ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-F", os.devnull]
    command += ["-o", "ConnectTimeout=20", "-p", str(relay.port), "nobody@127.0.0.1"]
    subprocess.run(command, check=False, capture_output=True, timeout=TIMEOUT_S)
    relay.join(TIMEOUT_S)
    check("ssh", relay.kept, banner="SSH-2.0-OpenSSH")


def try_mail_and_files():
    relay = serve_lines(
        b"220 here\r\n",
        {"EHLO": b"250-here\r\n250 HELP\r\n", "QUIT": b"221 bye\r\n", "": b"250 ok\r\n"},
    )
    with smtplib.SMTP("127.0.0.1", relay.port, timeout=TIMEOUT_S) as mail:
        mail.ehlo("example.com")
    relay.join(TIMEOUT_S)
    check("smtp", relay.kept)
    relay = serve_lines(b"220 here\r\n", {"USER": b"331 whose?\r\n", "": b"230 ok\r\n"})
    ftp = ftplib.FTP(timeout=TIMEOUT_S)
    ftp.connect("127.0.0.1", relay.port)
    ftp.login("somebody", "secret")
    ftp.close()
    relay.join(TIMEOUT_S)
    check("ftp", relay.kept)
    relay = serve_lines(b"+OK here\r\n", {"": b"+OK\r\n"})
    post = poplib.POP3("127.0.0.1", relay.port, timeout=TIMEOUT_S)
    post.user("somebody")
    post.quit()
    relay.join(TIMEOUT_S)
    check("pop3", relay.kept)
    answers = {"CAPABILITY": b"* CAPABILITY IMAP4REV1\r\nTAG OK done\r\n", "": b"TAG OK done\r\n"}
    relay = serve_lines(b"* OK here\r\n", answers)
    boxes = imaplib.IMAP4("127.0.0.1", relay.port)
    boxes.logout()
    relay.join(TIMEOUT_S)
    check("imap", relay.kept)


try_http()
try_ssh()
try_mail_and_files()
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed or not passed else 0)
