#!/bin/sh
# SPDX-License-Identifier: MIT
# Lets the members of a group capture without sudo: gives the group READ access to the BPF devices.
#
#   sudo scripts/bpf-access.sh install [GROUP]    now and after each start (default: access_bpf)
#   sudo scripts/bpf-access.sh remove             takes it back
#   scripts/bpf-access.sh status                  who may read /dev/bpf* now
#
# Read only, on purpose: bpfengine opens the devices for reading, so users need no right to send
# forged packets.  Members of the group can see all traffic of this machine.  On macOS a device
# comes into being when it is opened, so a first set is made.  The job that runs at start-up
# belongs to root, and only root can write it.
set -eu

PROGRAM=$0
LABEL=org.bpfengine.bpf-access
PLIST=/Library/LaunchDaemons/$LABEL.plist
HELPER=/usr/local/libexec/bpf-access
NODES=32	# macOS: devices made ahead; each costs nothing until it is opened

say() { printf '%s\n' "$*"; }
fail() { printf '%s: %s\n' "$PROGRAM" "$*" >&2; exit 1; }
need_root() { [ "$(id -u)" -eq 0 ] || fail "this changes the system: run it with sudo"; }
valid_group() {
	case $1 in
	''|*[!A-Za-z0-9_-]*|-*) fail "\"$1\" is no name for a group (letters, digits, _ and -)" ;;
	esac
}

make_group() {	# GROUP
	case $(uname -s) in
	Darwin)
		dscl . -read "/Groups/$1" >/dev/null 2>&1 ||
			dseditgroup -o create -r "BPF read access" "$1"
		;;
	FreeBSD) pw groupshow "$1" >/dev/null 2>&1 || pw groupadd "$1" ;;
	NetBSD|OpenBSD) getent group "$1" >/dev/null 2>&1 || groupadd "$1" ;;
	esac
}

macos_install() {	# GROUP
	mkdir -p /usr/local/libexec
	chown root:wheel /usr/local/libexec
	chmod 755 /usr/local/libexec
	cat > "$HELPER.new" <<EOF
#!/bin/sh
# Made by bpfengine's scripts/bpf-access.sh: read access to the BPF devices for the group $1.
n=0
while [ \$n -lt $NODES ]; do	# opening the last one makes the next appear
	# not ":", a special builtin, behind which a failed redirection ends the shell
	true < /dev/bpf\$n
	n=\$((n + 1))
done 2>/dev/null
/usr/bin/chgrp $1 /dev/bpf*
/bin/chmod g+r,g-w /dev/bpf*
EOF
	chown root:wheel "$HELPER.new"
	chmod 755 "$HELPER.new"
	mv "$HELPER.new" "$HELPER"
	cat > "$PLIST.new" <<EOF
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Label</key><string>$LABEL</string>
	<key>ProgramArguments</key><array><string>$HELPER</string></array>
	<key>RunAtLoad</key><true/>
</dict>
</plist>
EOF
	chown root:wheel "$PLIST.new"
	chmod 644 "$PLIST.new"
	mv "$PLIST.new" "$PLIST"
	launchctl unload "$PLIST" 2>/dev/null || true
	launchctl load -w "$PLIST"
	say "Add people with: sudo dseditgroup -o edit -a NAME -t user $1   (they log in anew)"
}

bsd_install() {	# GROUP
	chgrp "$1" /dev/bpf*
	chmod g+r,g-w /dev/bpf*
	case $(uname -s) in
	FreeBSD)
		grep -q '^perm	bpf	' /etc/devfs.conf 2>/dev/null ||
			printf 'own	bpf	root:%s\nperm	bpf	0640\n' "$1" >>/etc/devfs.conf
		say "Kept in /etc/devfs.conf.  Add people with: sudo pw groupmod $1 -m NAME" ;;
	*)	say "The devices keep it.  Add people with: sudo usermod -G $1 NAME" ;;
	esac
}

case ${1:-} in
install)
	group=${2:-access_bpf}
	valid_group "$group"
	need_root
	case $(uname -s) in
	Darwin) make_group "$group"; macos_install "$group" ;;
	FreeBSD|NetBSD|OpenBSD) make_group "$group"; bsd_install "$group" ;;
	*) fail "there are no BPF devices on $(uname -s); on Linux: sudo setcap cap_net_raw,cap_net_admin+ep \"\$(command -v bpfengine)\"" ;;
	esac ;;
remove)
	need_root
	case $(uname -s) in
	Darwin)
		launchctl unload "$PLIST" 2>/dev/null || true
		rm -f "$PLIST" "$HELPER"
		chgrp wheel /dev/bpf*; chmod 600 /dev/bpf* ;;
	FreeBSD)
		if [ -f /etc/devfs.conf ]; then
			sed -i '' -e '/^own	bpf	/d' -e '/^perm	bpf	/d' /etc/devfs.conf
		fi
		chgrp wheel /dev/bpf*; chmod 600 /dev/bpf* ;;
	NetBSD|OpenBSD) chgrp wheel /dev/bpf*; chmod 600 /dev/bpf* ;;
	*) fail "there are no BPF devices on $(uname -s)" ;;
	esac
	say "Only root reads the BPF devices now." ;;
status)
	ls -l /dev/bpf* 2>/dev/null || say "There are no BPF devices here." ;;
*)
	sed -n '3,12s/^# \{0,1\}//p' "$0"
	exit 2 ;;
esac
