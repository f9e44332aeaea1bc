"""The bench's arithmetic and its page."""

from dataclasses import replace
from pathlib import Path

from shared.projections.tokens import PartitionPosition, token_for
from tests.bench.figures import Answered, Cold, Held, Measured, Pressure, Round, Steady, percentile, ratio
from tests.bench.load import Result
from tests.bench.plan import CLOSED, LEDGERS, OPEN, QUESTIONS, VISIBLE, Plan
from tests.bench.report import report
from tests.bench.runs import Run, split, together

EIGHT = Pressure(clients=8)


def of_rate(rate: int, *, lag: float = 0.0, server: str = "Ours", load: float = 0.1) -> Round:
    return Round(
        build="this build",
        server=server,
        pressure=EIGHT,
        seconds=2.0,
        times=[0.001] * rate * 2,
        arrived=rate * 2,
        cpu={"deals": 1.0, "kafka": 0.5, "load": load},
        lag=lag,
    )


def test_a_percentile_is_a_time_that_was_measured() -> None:
    times = [number / 1000 for number in range(100, 0, -1)]

    assert [percentile(times, share) for share in (0.5, 0.99, 1.0)] == [0.05, 0.099, 0.1]
    assert percentile([0.007], 0.99) == 0.007


def test_a_ratio_compares_rounds_of_the_same_turn() -> None:
    # The machine was twice as fast in the last round: the ratio is none the wiser.
    found = ratio([of_rate(300), of_rate(360), of_rate(600)], [of_rate(100), of_rate(100), of_rate(200)])

    assert found is not None
    assert (found.median, found.least, found.most) == (3.0, 3.0, 3.6)
    assert str(found) == "3.00 (3.00–3.60)"


def test_a_round_that_left_work_behind_counts_nowhere() -> None:
    late = of_rate(900, lag=2.2)

    assert not late.counts
    assert of_rate(900, lag=2.0).counts
    assert ratio([late], [of_rate(100)]) is None
    assert str(ratio([late, of_rate(200)], [of_rate(100), of_rate(100)])) == "2.00"


def test_the_cost_of_a_command_is_by_process_and_without_the_clients() -> None:
    assert of_rate(100).cost == {"deals": 0.005, "kafka": 0.0025}
    assert of_rate(100).client_cores == 0.05


def test_the_page_says_what_was_thrown_away_and_which_client_took_too_much() -> None:
    rounds = [
        of_rate(300),
        of_rate(500, lag=3.14),
        of_rate(100, server="Theirs", load=0.5),
        of_rate(100, server="Theirs"),
    ]
    page = report(Measured(about={"Python": "3"}, rounds=rounds), "Ours")

    assert "## Closed loop, 8 clients" in page
    assert "| Ours | 1 of 2; thrown away: 3.1 s behind | 300 | 1.0 / 1.0 / 1.0 | 0.05 | – |" in page
    assert "| Theirs | 2 of 2 | 100 (100–100) | 1.0 / 1.0 / 1.0 | 0.25 (too much) | 3.00 |" in page
    assert "| Ours | 8 | 2,500 | 1,667 | 833 |" in page


def test_a_run_says_beforehand_how_long_it_takes() -> None:
    quick = Plan(clients=(32,), rates=(100,), sections=(CLOSED,))

    assert len(quick.rounds(CLOSED)) == 6
    assert 2 < quick.minutes(1) < 4
    assert quick.minutes(2) == 2 * quick.minutes(1)
    assert Plan(sections=(CLOSED,)).minutes(1) < 10
    assert Plan(sections=(OPEN, VISIBLE)).minutes(1) < 10


def test_a_question_of_another_build_stands_beside_ours() -> None:
    answered = [
        Answered(build=build, deals=1000, question="health", times=[seconds] * 3, size=2048)
        for build, seconds in (("this build", 0.01), ("0c681ad", 0.25))
    ]
    held = [Held(build="this build", deals=1000, when="after folding", resident=200 << 20, own=150 << 20)]
    page = report(Measured(answered=answered, held=held), "Ours")

    assert "## Questions over 1,000 deals, one client, warm" in page
    assert "| health | this build | 3 | 10.0 | 10.0 | 10.0 | 2.0 | – |" in page
    assert "| health | 0c681ad | 3 | 250.0 | 250.0 | 250.0 | 2.0 | 25.0 |" in page
    assert "| this build | after folding | 200 | 150 |" in page


def test_questions_alone_need_no_stage() -> None:
    alone = Plan(sections=(QUESTIONS,), deals=1000)

    assert not alone.on_stage
    assert alone.minutes(1) < 5
    assert Plan(sections=(QUESTIONS, CLOSED)).on_stage


def test_commands_on_many_invoices_stand_beside_those_on_few_of_the_same_build() -> None:
    steady = [
        Steady(build=build, invoices=invoices, times=[seconds] * 3, cpu=seconds / 2)
        for build, few, many in (("this build", 0.004, 0.005), ("0c681ad", 0.004, 0.1))
        for invoices, seconds in ((20, few), (20_000, many), (20, few), (20_000, many))
    ]
    page = report(Measured(steady=steady), "Ours")

    assert "| this build | 20 | 6 | 4.0 | 4.0 | 4.0 | 2.00 | – | – |" in page
    assert "| this build | 20,000 | 6 | 5.0 | 5.0 | 5.0 | 2.50 | 1.25 | 1.25 |" in page
    assert "| 0c681ad | 20,000 | 6 | 100.0 | 100.0 | 100.0 | 50.00 | 25.00 | 25.00 |" in page


def test_a_build_without_snapshots_has_nothing_in_their_lines() -> None:
    cold = [
        Cold(
            build=build,
            stream="queue",
            events=3000,
            from_snapshot=kept,
            answered=seconds,
            cpu=seconds,
            stall=seconds / 10,
        )
        for build, kept, seconds in (("this build", False, 0.5), ("this build", True, 0.02), ("0c681ad", False, 1.0))
    ]
    page = report(Measured(cold=cold), "Ours")

    assert "| queue | 3,000 | folded | this build | 1 | 500 | 500 | 50 | – |" in page
    assert "| queue | 3,000 | folded | 0c681ad | 1 | 1000 | 1000 | 100 | 2.0 |" in page
    assert "| queue | 3,000 | from its snapshot | this build | 1 | 20 | 20 | 2 | – |" in page
    assert "| queue | 3,000 | from its snapshot | 0c681ad | – | – | – | – | – |" in page


def test_ledgers_alone_need_no_stage() -> None:
    alone = Plan(sections=(LEDGERS,))

    assert not alone.on_stage
    assert 2 < alone.minutes(1) < 5
    assert Plan(sections=(LEDGERS,), invoices=2_000).minutes(1) < 2


def test_the_highest_token_of_a_load_counts_whatever_is_answered_last() -> None:
    tokens = [
        token_for("deals", [PartitionPosition("deals.deal.v1", position % 12, position)]).encode()
        for position in (99, 100, 7)
    ]
    result = Result()
    for token in tokens:
        result.note(token)
    assert result.last == tokens[1]
    alone = Result()
    alone.note("")
    assert not alone.last


def test_a_run_that_broke_off_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    early, late = {"Measured": "10:00", "Python": "3.11"}, {"Measured": "12:00", "Python": "3.11"}
    open_loop = replace(of_rate(100), pressure=Pressure(rate=100))
    commands = Measured(about=early, rounds=[of_rate(300), open_loop])
    asked = Measured(about=late, answered=[Answered(build="this build", deals=1, question="q", times=[0.1], size=1)])
    run = Run(tmp_path / "run.json")
    assert run.sections() == {}
    run.keep(split(commands, [CLOSED, OPEN]))
    run.keep(split(asked, [QUESTIONS]))
    assert {name: len(found.rounds) for name, found in run.sections().items()} == {CLOSED: 1, OPEN: 1, QUESTIONS: 0}
    whole = together(run.sections())
    assert whole == Measured(
        about={"Measured": "closed, open: 10:00; questions: 12:00", "Python": "3.11"},
        rounds=commands.rounds,
        answered=asked.answered,
    )
    run.forget([OPEN])
    assert set(run.sections()) == {CLOSED, QUESTIONS}
