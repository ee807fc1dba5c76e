#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# up.sh [DIR] -- OPTIONS OF bpfengine...: brings up a fleet of one sensor on this machine.
#
#     packaging/fleet/up.sh fleet -- -i eth0
#     packaging/fleet/down.sh fleet
#
# sensor (bpfengine) -> Kafka -> consumer.py -> Parquet files for DuckDB; sensor -> Prometheus ->
# Grafana; Kafka -> ClickHouse.  Grafana and ClickHouse are left out, and named, if they are not
# installed.  All listen on 127.0.0.1 alone.  DIR (default: ./fleet) holds logs, process ids and
# data; nothing is written elsewhere.  A second up.sh with the same DIR is refused.
#
# Environment: BPFENGINE (the program), PYTHON (with confluent_kafka and pyarrow), KAFKA_LIBS (a
# folder of Kafka's jars: scripts/peers.sh kafka), KAFKA_PORT, KAFKA_CONTROL_PORT, METRICS_PORT,
# PROMETHEUS_PORT, GRAFANA_PORT, TOPIC, PARTITIONS, WAIT (seconds for each part, 120).
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

say() { echo "fleet: $*" >&2; }

usage() {
	sed -n '3,17s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

fleet=fleet
if [ $# -gt 0 ] && [ "$1" != -- ]; then
	fleet=$1
	shift
fi
if [ $# -lt 2 ] || [ "$1" != -- ]; then usage; fi
shift
bpfengine=${BPFENGINE:-$(command -v bpfengine || echo "$top/build/src/bpfengine")}
peers=${BPE_PEERS:-$top/build/peers}
python=${PYTHON:-$peers/python/bin/python}
kafka_libs=${KAFKA_LIBS:-${KAFKA_HOME:-$peers/kafka}/libs}
: "${KAFKA_PORT:=9092}" "${KAFKA_CONTROL_PORT:=9093}" "${METRICS_PORT:=9477}"
: "${PROMETHEUS_PORT:=9090}" "${GRAFANA_PORT:=3000}" "${TOPIC:=flows}" "${PARTITIONS:=4}"
: "${WAIT:=120}"

want() {	# command or file, where it comes from
	command -v "$1" >/dev/null 2>&1 || [ -e "$1" ] || { say "$1 is missing: $2"; exit 1; }
}

want "$bpfengine" "build it: meson setup build && ninja -C build"
want java "a Java runtime: apt install default-jre-headless"
want "$kafka_libs" "scripts/peers.sh kafka, or KAFKA_HOME=where Kafka is unpacked"
want prometheus "apt install prometheus, and stop its service"
[ -x "$python" ] || python=python3
"$python" -c 'import confluent_kafka, pyarrow' 2>/dev/null || {
	say "$python lacks confluent_kafka or pyarrow: scripts/peers.sh python, or PYTHON=..."
	exit 1
}
mkdir -p "$fleet" || exit 1
fleet=$(cd "$fleet" && pwd)
if ls "$fleet"/*.pid >/dev/null 2>&1; then
	say "$fleet is up already: run $here/down.sh $fleet first"
	exit 1
fi
mkdir -p "$fleet/tables" "$fleet/prometheus"

# name, command...: runs a part in the background, in a session of its own.
start() {
	local name=$1
	shift
	setsid "$@" >"$fleet/$name.log" 2>&1 </dev/null &
	echo $! >"$fleet/$name.pid"
	say "$name is started (log: $fleet/$name.log)"
}

is_alive() { kill -0 "$(cat "$fleet/$1.pid")" 2>/dev/null; }

give_up() {	# reason, part
	say "$1; the end of its log:"
	tail -n 8 "$fleet/$2.log" | sed 's/^/    /' >&2
	"$here/down.sh" "$fleet"
	exit 1
}

# part, command...: waits until the command succeeds.
await() {
	local name=$1 end=$((SECONDS + WAIT))
	shift
	until "$@" >/dev/null 2>&1; do
		is_alive "$name" || give_up "$name has ended" "$name"
		[ $SECONDS -lt $end ] || give_up "$name does not answer after $WAIT s" "$name"
		sleep 0.3
	done
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1"); }

fill() {	# template, file
	sed -e "s|@FLEET@|$fleet|g" -e "s|@HERE@|$here|g" -e "s|@KAFKA_PORT@|$KAFKA_PORT|g" \
		-e "s|@KAFKA_CONTROL_PORT@|$KAFKA_CONTROL_PORT|g" -e "s|@TOPIC@|$TOPIC|g" \
		-e "s|@METRICS_PORT@|$METRICS_PORT|g" -e "s|@PARTITIONS@|$PARTITIONS|g" \
		-e "s|@PROMETHEUS_PORT@|$PROMETHEUS_PORT|g" -e "s|@GRAFANA_PORT@|$GRAFANA_PORT|g" \
		"$here/$1" >"$2"
}

for port in "$KAFKA_PORT" "$KAFKA_CONTROL_PORT" "$METRICS_PORT" "$PROMETHEUS_PORT"; do
	if answers "$port" 2>/dev/null; then
		say "somebody listens at port $port already: choose another (see the head of $0)"
		exit 1
	fi
done

# Kafka, as broker and controller in one process.
fill kafka.properties.in "$fleet/kafka.properties"
java=(java -Xmx512m -cp "$kafka_libs/*")
if [ ! -f "$fleet/kafka/meta.properties" ]; then
	"${java[@]}" kafka.tools.StorageTool format -c "$fleet/kafka.properties" \
		-t "$("${java[@]}" kafka.tools.StorageTool random-uuid)" >"$fleet/kafka.log" 2>&1 || {
		say "Kafka's folder could not be made: see $fleet/kafka.log"
		exit 1
	}
fi
start kafka "${java[@]}" kafka.Kafka "$fleet/kafka.properties"

fill prometheus.yml.in "$fleet/prometheus.yml"
start prometheus prometheus --config.file="$fleet/prometheus.yml" \
	--storage.tsdb.path="$fleet/prometheus" --web.listen-address="127.0.0.1:$PROMETHEUS_PORT"
await prometheus answers "$PROMETHEUS_PORT"
await kafka answers "$KAFKA_PORT"

start consumer "$python" "$here/consumer.py" "127.0.0.1:$KAFKA_PORT" "$TOPIC" "$fleet/tables" \
	--partitions "$PARTITIONS"
await consumer grep -q "reading $TOPIC" "$fleet/consumer.log"

start sensor "$bpfengine" "$@" -q --metrics "127.0.0.1:$METRICS_PORT" \
	--export "kafka://127.0.0.1:$KAFKA_PORT/$TOPIC?format=json"
await sensor answers "$METRICS_PORT"

grafana=$(command -v grafana-server || true)
if [ -n "$grafana" ]; then
	mkdir -p "$fleet/grafana/provisioning"/{datasources,dashboards}
	fill grafana/datasource.yml.in "$fleet/grafana/provisioning/datasources/bpfengine.yml"
	fill grafana/dashboards.yml.in "$fleet/grafana/provisioning/dashboards/bpfengine.yml"
	fill grafana/grafana.ini.in "$fleet/grafana/grafana.ini"
	start grafana "$grafana" --config "$fleet/grafana/grafana.ini" \
		--homepath "${GRAFANA_HOME:-/usr/share/grafana}"
	await grafana answers "$GRAFANA_PORT"
else
	say "Grafana is not installed: left out"
fi
if command -v clickhouse >/dev/null 2>&1; then
	mkdir -p "$fleet/clickhouse"
	fill clickhouse.sql.in "$fleet/clickhouse.sql"
	start clickhouse clickhouse server -- --path "$fleet/clickhouse/" --listen_host 127.0.0.1
	await clickhouse clickhouse client --query 'SELECT 1'
	clickhouse client --multiquery <"$fleet/clickhouse.sql" ||
		give_up "ClickHouse refuses $fleet/clickhouse.sql" clickhouse
else
	say "ClickHouse is not installed: left out"
fi
say "up: metrics http://127.0.0.1:$METRICS_PORT/metrics, Prometheus" \
	"http://127.0.0.1:$PROMETHEUS_PORT, tables $fleet/tables"
say "the newest flows: duckdb -c \"FROM '$fleet/tables/flows/*/*.parquet' ORDER BY first DESC LIMIT 10\""
