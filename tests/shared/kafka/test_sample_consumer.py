"""The sample consumer proves from the headers alone that it missed nothing, and says so when it did."""

import asyncio
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from deploy.local.ports import free_port
from shared.events.registry import topic_of
from tests.shared.kafka.stage import Publisher, deals

SAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "consumer.py"


def sample() -> ModuleType:
    specification = importlib.util.spec_from_file_location("consumer", SAMPLE)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


async def consume(kafka: str, aggregate: str) -> tuple[int | None, str, str]:
    """Run it as its reader would; gives the exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SAMPLE),
        topic_of("deals", aggregate),
        env={**os.environ, "KAFKA_BOOTSTRAP": kafka},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, said.decode(), complained.decode()


async def test_it_counts_every_event_once_although_some_come_again(
    kafka: str, aggregate: str, publisher: Publisher
) -> None:
    events = deals(aggregate, [3, 7, 1, 12])
    await publisher.publish(events)
    await publisher.repeat(events[4:9])
    assert await consume(kafka, aggregate) == (0, "23 events of 4 aggregates, nothing missing\n", "")


async def test_it_notices_a_single_lost_event(kafka: str, aggregate: str, publisher: Publisher) -> None:
    await publisher.publish(deals(aggregate, [3, 7, 1, 12]), lost=[6])
    code, said, complained = await consume(kafka, aggregate)
    assert (code, said) == (1, "")
    assert "before position 7 is missing" in complained


async def test_it_ends_with_a_sentence_on_a_topic_that_there_is_not(kafka: str) -> None:
    code, said, complained = await consume(kafka, "unheard-of")
    assert (code, said) == (1, "")
    assert complained.startswith(f"There is no topic {topic_of('deals', 'unheard-of')};"), complained


@pytest.mark.usefixtures("processes")
async def test_it_says_where_it_looked_for_kafka_in_vain() -> None:
    nowhere = f"127.0.0.1:{free_port(set())}"
    code, said, complained = await consume(nowhere, "deal")
    assert (code, said) == (1, "")
    assert complained.splitlines()[-1] == f"No Kafka answers at {nowhere}; `throughline status` says where it is."


@pytest.mark.usefixtures("processes")
async def test_without_an_address_it_says_how_it_is_run() -> None:
    code, _, complained = await consume("", "deal")
    assert code == 1
    assert "KAFKA_BOOTSTRAP=" in complained
    assert "throughline status" in complained


def headers(position: int, previous: int, sequence: int, subject: str = "a deal") -> dict[str, str]:
    numbers = {"ce_position": position, "ce_prev": previous, "ce_sequence": sequence}
    return {"ce_subject": subject, **{name: str(number) for name, number in numbers.items()}}


def test_either_chain_alone_is_enough() -> None:
    proof = sample().Proof()
    assert proof.is_new(3, headers(5, 0, 1))
    assert not proof.is_new(3, headers(5, 0, 1))
    with pytest.raises(LookupError):
        proof.is_new(3, headers(9, 7, 2))
    with pytest.raises(LookupError):
        proof.is_new(3, headers(9, 5, 3))
    assert proof.is_new(3, headers(9, 5, 2))
