# SPDX-License-Identifier: MIT
"""A Kafka broker of the test's own, from Maven's jars, and what its topics hold.

The broker runs in KRaft mode, alone, on free ports of 127.0.0.1.  It knows no topic by itself, and
takes rules of access from anybody.
"""

import os
import signal
import subprocess

import peers

CONFIGURATION = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
super.users=User:nobody
"""
JAVA = ["-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
START_SECONDS = 400


class Broker:
    def __init__(self, folder):
        self.jars = peers.jars("kafka")
        self.folder, self.process = folder, None
        self.port, controller = peers.free_port(), peers.free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.properties = os.path.join(folder, "server.properties")
        with open(self.properties, "w", encoding="utf-8") as f:
            f.write(CONFIGURATION.format(port=self.port, controller=controller, folder=folder))
        words = ["kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk"]
        self.java([*words, "-c", self.properties], "format").wait(START_SECONDS)

    def java(self, words, name):
        log = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        with open(os.path.join(self.folder, name + ".log"), "ab") as out:
            return subprocess.Popen(
                ["java", *JAVA, log, "-cp", self.jars, *words],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
            )

    def log(self):
        with open(os.path.join(self.folder, "broker.log"), encoding="utf-8", errors="replace") as f:
            return f.read()[-2000:]

    def start(self):
        """Starts the broker, and waits until it answers."""
        self.process = self.java(["kafka.Kafka", self.properties], "broker")

        def answers():
            assert self.process.poll() is None, "the broker ends at its start: " + self.log()
            return peers.accepts(self.port) and self.topics() is not None

        peers.wait(answers, "the broker answers", START_SECONDS)

    def admin(self):
        from confluent_kafka.admin import AdminClient

        return AdminClient(
            {"bootstrap.servers": self.address, "log_level": 0}, logger=quiet_logger()
        )

    def topics(self):
        from confluent_kafka import KafkaException

        try:
            client = self.admin()
            return client.list_topics(timeout=10).topics
        except KafkaException:
            return None

    def make_topic(self, name, partitions=4, **settings):
        from confluent_kafka.admin import NewTopic

        topic = NewTopic(name, partitions, 1, config=settings)
        client = self.admin()
        for made in client.create_topics([topic], operation_timeout=100).values():
            made.result(200)
        peers.wait(lambda: name in (self.topics() or {}), f"topic {name} is there")

    def forbid_writing(self, name):
        from confluent_kafka import admin

        rule = admin.AclBinding(
            admin.ResourceType.TOPIC,
            name,
            admin.ResourcePatternType.LITERAL,
            "User:*",
            "*",
            admin.AclOperation.WRITE,
            admin.AclPermissionType.DENY,
        )
        client = self.admin()
        for made in client.create_acls([rule]).values():
            made.result(200)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()  # its data are thrown away

    def count(self, topic):
        """The messages that a topic holds."""
        return sum(high - low for low, high in self.bounds(topic).values())

    def bounds(self, topic):
        consumer = self.consumer()
        try:
            from confluent_kafka import TopicPartition

            parts = consumer.list_topics(topic, timeout=100).topics[topic].partitions
            return {
                p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=100)
                for p in parts
            }
        finally:
            consumer.close()

    def consumer(self):
        from confluent_kafka import Consumer

        return Consumer(
            {
                "bootstrap.servers": self.address,
                "group.id": "test",
                "enable.auto.commit": False,
                "log_level": 0,
            },
            logger=quiet_logger(),
        )

    def read(self, topic):
        """All messages of a topic as (partition, key, value), each partition in its order."""
        from confluent_kafka import TopicPartition

        bounds = self.bounds(topic)
        consumer, rows = self.consumer(), []
        consumer.assign([TopicPartition(topic, p, low) for p, (low, _) in bounds.items()])
        wanted = sum(high - low for low, high in bounds.values())

        def take():
            for m in consumer.consume(10000, 0.2):
                assert not m.error(), m.error()
                rows.append((m.partition(), m.key(), m.value()))
            return len(rows) >= wanted

        try:
            peers.wait(take, f"{wanted} messages of {topic}", 300)
        finally:
            consumer.close()
        return rows


def quiet_logger():
    import logging

    logger = logging.getLogger("quiet")
    logger.disabled = True
    return logger


def murmur2(data):
    """The hash by which producers in Java choose a partition (org.apache.kafka.common.utils)."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = h * m & mask ^ k
    rest = data[whole:]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return (h ^ h >> 15) & 0x7FFFFFFF
