"""What deals are called once somebody is forgotten (DATA-4)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from services.leads.domain.redaction import NAMELESS, Named, keys_of, redacted, sequences

ADA = Named(names=("Ada Moreno",), emails=("a.moreno@northwind.example",), companies=("Northwind Tooling",))
OWNER = Named(names=("Ada Moreno",), companies=("Moreno & Sons",))

GOLDEN = [
    # The full name, a single word of it, and the address; whatever the case, the marks and the composition.
    (ADA, "Second line for Ada Moreno", "Second line for …"),
    (ADA, "ADA  MORENO: second line", "…: second line"),
    (ADA, "Second line (Moreno)", "Second line (…)"),
    (ADA, "Moreno's second line", "…'s second line"),
    (ADA, "Moreno, Ada – second line", "…, … – second line"),
    (ADA, "Ada and Ada Moreno's line", "… and …'s line"),
    (ADA, "Moreno Ada Moreno line", "… line"),
    (ADA, "Line, write to A.Moreno@Northwind.example", "Line, write to …"),
    (ADA, "A\u0301da\u00a0Morén\u0303o", NAMELESS),
    # What ties a name together is in other words' place, and so is a letter; a company may be called like somebody.
    (Named(names=("Ludwig van der Berg",)), "Transport van und der Rest, Berg", "Transport van und der Rest, …"),
    (Named(names=("ludwig van",)), "Line for van", "Line for …"),
    (Named(names=("A",)), "Plan A, option A", None),
    (Named(names=("Northwind",), companies=("Northwind",)), "Second line for Northwind", None),
    # Another word that begins alike, and names of nobody.
    (ADA, "Adapters", None),
    (ADA, "Northwind Tooling, second line", None),
    (ADA, "…", None),
    (ADA, "", None),
    (Named(names=("Jo Li", "Moreno")), "Jo Moreno Li line", "… line"),
    # What is left empty.
    (ADA, "Ada Moreno", NAMELESS),
    (ADA, "»Moreno« (Ada)!", NAMELESS),
    (ADA, "Ada Moreno 2", "… 2"),
    # A company may be called like its owner: not a single word is taken for the person then, the full name is.
    (OWNER, "Moreno & Sons, second line", None),
    (OWNER, "Moreno & Sons, for Ada Moreno", "Moreno & Sons, for …"),
    (OWNER, "Ada's line", "…'s line"),
    # Short words of names stand in too many others.
    (Named(names=("Li Wu",)), "Li Wu: line for Li", "…: line for Li"),
    (Named(names=("Bo",)), "Line for Bo", "Line for …"),
    (Named(names=("Jo O'Brien",)), "O'Brien, Brien, O'Neill", "…, …, O'Neill"),
    (Named(names=("Jean-Luc Picard",)), "Line for Jean Luc", "Line for …"),
    # Scripts that have no case, no spaces, or endings that are joined to names.
    (Named(names=("王小明",)), "王小明的新生产线", "…的新生产线"),
    (Named(names=("王 小明",)), "新生产线（王小明）", "新生产线（…）"),
    (Named(names=("김민준",)), "김민준님 새 라인", "…님 새 라인"),
    (Named(names=("山田 太郎",)), "山田太郎様ライン", "…様ライン"),
    (Named(names=("マイケル",)), "マイケルさん", "…さん"),
    (Named(names=("สมชาย ใจดี",)), "สายการผลิตของคุณสมชาย", "สายการผลิตของคุณ…"),
    (Named(names=("Мария Иванова",)), "Линия для МАРИЯ Иванова", "Линия для …"),
    (Named(names=("मीरा शर्मा",)), "मीरा शर्मा की लाइन", "… की लाइन"),
    (Named(names=("محمد علی‌پور",)), "خط محمد علی‌پور", "خط …"),
    (Named(names=("Straße Weiss",)), "Linie STRASSE weiß", "Linie …"),
]


@pytest.mark.parametrize(("named", "text", "expected"), GOLDEN, ids=[text for _, text, _ in GOLDEN])
def test_data_4_a_deal_names_nobody_who_was_forgotten(named: Named, text: str, expected: str | None) -> None:
    assert redacted(text, named) == expected


words = some.sampled_from(
    [
        "Ada",
        "MORENO",
        "moreno",
        "Moreno's",
        "Li",
        "line",
        "Adam",
        "a.moreno@x.example",
        "王小明",
        "明",
        "김민준",
        "é",
        "2",
    ]
)
texts = some.lists(some.one_of(words, some.text(max_size=4)), max_size=8).map(" ".join)
people = some.builds(
    Named,
    names=some.lists(texts, min_size=1, max_size=2).map(tuple),
    emails=some.lists(some.sampled_from(["a.moreno@x.example"]), max_size=1).map(tuple),
    companies=some.lists(texts, max_size=2).map(tuple),
)


@given(text=texts, named=people)
@example(text="Ada Ada Moreno Moreno", named=ADA)
def test_data_4_of_every_name_nothing_is_left_and_nothing_else_goes(text: str, named: Named) -> None:
    left = redacted(text, named)
    if left is None:
        left = text
    if left != NAMELESS:
        assert redacted(left, named) is None, "what is redacted names nobody"
        found = keys_of(left)
        assert not any(_stands_in(sequence, found) for sequence in sequences(named))
        rest = iter(keys_of(text))
        assert all(word in rest for word in found), "what is left stood there, in this order"
    assert len(left) <= max(len(text), len(NAMELESS))


def _stands_in(sequence: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return any(words[start : start + len(sequence)] == sequence for start in range(len(words)))
