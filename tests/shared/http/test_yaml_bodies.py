"""YAML bodies: the same data as JSON, and what is no such data is refused with its line."""

import json

import pytest
import yaml

from shared.http.yaml_bodies import MAX_DEPTH, MOST_BYTES, NotYaml, json_of, yaml_of


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", {}),
        ("# nothing but a remark", {}),
        ("a: 1\nb: [x, -2]\nc: {d: true, e: null}", {"a": 1, "b": ["x", -2], "c": {"d": True, "e": None}}),
        ("a:\nb: ~", {"a": None, "b": None}),
        ("probability: 0.20", {"probability": "0.20"}),
        ("day: 2026-11-30\nat: 12:30\nhex: 0x10\noctal: 010\nmany: 1_000", None),
        ("a: yes\nb: NO\nc: on\nd: True\ne: .inf\nf: 1e3", None),
        ("a: '1'\nb: \"true\"\nc: 'null'", {"a": "1", "b": "true", "c": "null"}),
        ("a: |\n  one\n  two\n", {"a": "one\ntwo\n"}),
        ("1: a\ntrue: b", {"1": "a", "true": "b"}),
        ("n: 1234567890123456789", {"n": "1234567890123456789"}),
        ("%YAML 1.1\n---\na: Ärger\n...", {"a": "Ärger"}),
    ],
)
def test_proc_1_plain_yaml_is_read_as_json_and_nothing_is_guessed(written: str, read: dict[str, object] | None) -> None:
    """Dates, decimals, and what YAML 1.1 took for a truth value stay the texts that they are."""
    made = json.loads(json_of(written.encode()))
    assert made == (dict(line.split(": ", 1) for line in written.splitlines()) if read is None else read)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b"a: &x 1\nb: *x", "Anchors and aliases are not read, in line 1."),
        (b"a: 1\nb: *x", "Anchors and aliases are not read, in line 2."),
        (b"a: !!str 1", "Tags are not read, in line 1."),
        (b"a:\n  !thing {}", "Tags are not read, in line 2."),
        (b"a: 1\n---\nb: 2", "A body is one document."),
        (b"a: 1\nb: 2\na: 3", "'a' stands twice, in line 3."),
        (b"? [a]\n: 1", "A name is a text, in line 1."),
        (b"- " * (MAX_DEPTH + 1) + b"a", "A body nests at most 32 levels, in line 1."),
        (b"\xff", "A YAML body is UTF-8."),
        (b"a: 1\nb: ]", "did not find expected node content, in line 2."),
        (b"a: " + b"x" * MOST_BYTES, "A YAML body has at most 131072 bytes."),
    ],
)
def test_proc_1_what_is_no_such_yaml_is_refused_with_its_line(written: bytes, told: str) -> None:
    with pytest.raises(NotYaml) as refused:
        json_of(written)
    assert str(refused.value) == told


@pytest.mark.parametrize(
    "text", ["yes", "0.20", "1", "2026-11-30", "null", "~", "true", "", " x ", "a: b", "# a", "- a", "0x10", "Ä\nÖ\n"]
)
def test_proc_1_a_text_is_written_so_that_it_is_read_as_the_same_text(text: str) -> None:
    data = {"text": text, "in": [text, {"deep": text}], text or "empty": 1}
    assert json.loads(json_of(yaml_of(data).encode())) == data
    assert yaml.safe_load(yaml_of(data)) == data
