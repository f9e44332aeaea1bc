"""Kafka without containers: started, killed, started again; its artefacts are the locked ones or nothing starts."""

import shutil
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local import kafka
from deploy.local.fault import LocalError
from deploy.local.stack import Stack
from tests.deploy.test_local_home import kept_out_of


async def test_records_outlive_a_kill_and_a_restart(stack: Stack) -> None:
    broker = await kafka.launch(stack.kafka)
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("kept", 1, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap, acks="all")
    await producer.start()
    for number in range(100):
        await producer.send_and_wait("kept", str(number).encode())
    await producer.stop()
    broker.kill()
    assert not await kafka.answers(stack.bootstrap)

    broker = await kafka.launch(stack.kafka)
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([TopicPartition("kept", 0)])
    values = [(await consumer.getone()).value for _ in range(100)]
    assert values == [str(number).encode() for number in range(100)]
    await consumer.stop()
    await broker.stop()
    assert not broker.alive


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A download cache of this test alone, filled."""
    kafka.verified_jars()
    kept = kafka.jar_folder()
    monkeypatch.setenv("THROUGHLINE_CACHE", str(tmp_path / "cache"))
    shutil.copytree(kept, kafka.jar_folder())
    return kafka.jar_folder()


def test_an_altered_artefact_is_fetched_anew_and_a_stranger_is_thrown_out(cache: Path) -> None:
    jar = next(jar for jar in kafka.locked_jars() if "jspecify" in jar.coordinates)
    altered = cache / jar.file_name
    altered.write_bytes(altered.read_bytes() + b"x")
    stranger = cache / "stranger-1.0.jar"
    stranger.write_bytes(b"x")

    kafka.verified_jars()
    assert kafka.is_the_locked(altered, jar)
    assert not stranger.exists()


def test_without_a_network_a_missing_artefact_is_said_in_a_sentence(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # where nobody listens
    jar = next(jar for jar in kafka.locked_jars() if "jspecify" in jar.coordinates)
    (cache / jar.file_name).unlink()

    with pytest.raises(LocalError) as refused:
        kafka.verified_jars()
    assert refused.value.sentence.startswith(f"The Kafka artefact {jar.coordinates} cannot be fetched")
    assert "run the same command again" in refused.value.remedy
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "socks5://127.0.0.1:9")
    with pytest.raises(LocalError, match="through a proxy of this scheme"):
        kafka.verified_jars()


def test_a_cache_that_is_read_only_will_do_when_everything_is_there(cache: Path) -> None:
    (cache / "verified.json").unlink(missing_ok=True)
    with kept_out_of(cache), kept_out_of(cache.parent):
        assert kafka.verified_jars() == cache
    assert not (cache / "verified.json").exists()


def test_a_cache_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nowhere").symlink_to(tmp_path / "none" / "such")
    monkeypatch.setenv("THROUGHLINE_CACHE", str(tmp_path / "nowhere" / "cache"))
    with pytest.raises(LocalError, match=r"nowhere.* cannot be used: .*THROUGHLINE_HOME and THROUGHLINE_CACHE\."):
        kafka.verified_jars()


def test_a_cache_that_java_would_cut_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="has a ':' in its name"):
        kafka.classpath(tmp_path / "a:b")
