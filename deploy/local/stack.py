"""The composition of a local stack: which servers, where, on which ports."""

from dataclasses import dataclass
from pathlib import Path

from deploy.local.home import Home
from deploy.local.kafka import KafkaPlace
from deploy.local.ports import remembered
from deploy.local.postgres import PostgresPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Everything that runs in one home."""

    home: Home
    postgres: PostgresPlace
    kafka: KafkaPlace

    @classmethod
    def at(cls, path: Path, *, durable: bool = True) -> "Stack":
        """The stack in a folder, which is made ready. Raises LocalError."""
        home = Home(path.resolve())
        home.prepare()
        ports = remembered(home, ["postgresql", "kafka", "kafka-controller"])
        return cls(
            home=home,
            postgres=PostgresPlace(home, ports["postgresql"], durable),
            kafka=KafkaPlace(home, ports["kafka"], ports["kafka-controller"]),
        )
