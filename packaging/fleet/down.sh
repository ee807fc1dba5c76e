#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# down.sh [DIR]: takes down what up.sh brought up.  The sensor ends first and sends what it has; the
# consumer ends once it has read all of the topic.  Data and logs stay in DIR.
set -u
fleet=${1:-fleet}

# part, signal, most seconds: ends a part, and waits for its end.
stop() {
	local pid end=$((SECONDS + $3))
	[ -f "$fleet/$1.pid" ] || return 0
	pid=$(cat "$fleet/$1.pid")
	kill -s "$2" "$pid" 2>/dev/null
	while kill -0 "$pid" 2>/dev/null; do
		if [ $SECONDS -ge $end ]; then
			echo "fleet: $1 does not end after $3 s and is killed" >&2
			kill -s KILL "$pid" 2>/dev/null
			break
		fi
		sleep 0.2
	done
	rm -f "$fleet/$1.pid"
	echo "fleet: $1 is down" >&2
}

if [ ! -d "$fleet" ]; then
	echo "fleet: no folder $fleet: down.sh DIR wants the folder of up.sh" >&2
	exit 1
fi
stop sensor TERM 90
stop consumer TERM 90
stop clickhouse TERM 60
stop kafka TERM 60
stop grafana TERM 30
stop prometheus TERM 30
