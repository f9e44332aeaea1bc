"""The tutorial is true: its commands run in order against a whole stack, and the answers that it shows do come."""

import asyncio
import os
import re
import sys
from pathlib import Path

from shared.ops.ids import new_id
from tests.whole_stack import WholeStack

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHOWN = re.compile(
    r'"(status|code|stage|metric|state|type|kind|reason|criterion|count|position|quote_version)": ("[^"…]*"|\d+)'
)
"""The parts of a shown answer that are the same for everybody."""
PATIENCE_SECONDS = 240


async def test_the_tutorial_does_what_it_says(stack: WholeStack) -> None:
    """Every command succeeds or is refused exactly as the text shows."""
    run = str(new_id())[-8:]
    script, expected = steps(TUTORIAL.read_text())
    told = await bash(script, environment_of(stack, run))
    answers = told.split(MARK)[1:]
    assert len(answers) == len(expected)
    for (command, shown), answer in zip(expected, answers, strict=True):
        assert '"status":500' not in answer.replace(" ", ""), command
        for said in shown_in(shown.replace("-1-", f"-{run}-")):
            assert said in answer.replace('": ', '":'), (
                f"{said} is shown after\n{command}\nand the answer was\n{answer}"
            )
    # A busy machine may answer 503 first: the tutorial's curl asks again, and shows both answers.
    assert set(re.findall(r'"status": ?(\d{3})', told)) <= {"409", "503"}
    assert told.count('"status":409') + told.count('"status": 409') == 3


MARK = "=== next block ==="


def shown_in(answer: str) -> list[str]:
    """The parts of a shown answer that have to come."""
    return [f'"{name}":{value}' for name, value in SHOWN.findall(answer)]


def steps(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The script of all blocks, each told by a mark, and for each block the answer that the text shows after it."""
    script, expected = ["set -eu"], list[tuple[str, str]]()
    for kind, content in BLOCK.findall(text):
        if kind == "sh":
            script += [f"echo '{MARK}'", content]
            expected.append((content, ""))
        else:
            command, before = expected[-1]
            expected[-1] = (command, before + content)
    return "\n".join(script), expected


def environment_of(stack: WholeStack, run: str) -> dict[str, str]:
    """What the reader sets in the block that is marked `bash`, for this stack."""
    return {
        # Its `python3` is this one: what a machine puts before it to choose among several takes longer than it.
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        **dict.fromkeys(("http_proxy", "ALL_PROXY"), "http://127.0.0.1:9"),  # where nobody listens: a stack is near
        "ORIGIN": stack.origin,
        "RUN": run,
        "OPERATIONS": stack.token("sales-operations"),
        "REP": stack.token("rep", f"rosa-{run}"),
        "MANAGER": stack.token("manager", f"mateo-{run}"),
        "LEGAL": stack.token("legal", f"lara-{run}"),
        "DIRECTOR": stack.token("sales-director"),
        "FINANCE": stack.token("finance"),
        "PRODUCT": stack.token("product"),
    }


async def bash(script: str, environment: dict[str, str]) -> str:
    """What a script prints; it has to end well."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", script, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, err = await process.communicate()
    assert process.returncode == 0, f"{out.decode()[-2000:]}\n{err.decode()}"
    return out.decode()
