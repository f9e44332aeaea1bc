"""The guide to a sales process of one's own is true: its commands run, and the answers that it shows do come."""

from pathlib import Path

from shared.ops.ids import new_id
from tests.docs.test_tutorial import MARK, TUTORIAL, bash, environment_of, shown_in, steps
from tests.whole_stack import WholeStack

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "design-your-sales-process.md"


async def test_the_guide_does_what_it_says(stack: WholeStack, tmp_path: Path) -> None:
    """PROC-1, PROC-2, PROC-5, DEAL-4: each as somebody does it who sets up a process."""
    run = str(new_id())[-8:]
    people = TUTORIAL.read_text().split("## A lead")[0]
    before, _ = steps(people)
    script, expected = steps(GUIDE.read_text())
    told = await bash(f"{before}\ncd {tmp_path}\necho '{MARK * 2}'\n{script}", environment_of(stack, run))
    answers = told.split(MARK * 2)[1].split(MARK)[1:]
    assert len(answers) == len(expected)
    for (command, shown), answer in zip(expected, answers, strict=True):
        for said in shown_in(shown):
            assert said in answer.replace('": ', '":'), (
                f"{said} is shown after\n{command}\nand the answer was\n{answer}"
            )
        refused = '"status":4' in answer.replace(" ", "")
        assert refused == ('"status": 4' in shown), f"after\n{command}\nthe answer was\n{answer}"
