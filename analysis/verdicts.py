"""What a claim is, and the verdict on differences whose intervals are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seeds import Difference
from tables import needed

HOLDS, FAILS, UNDECIDED = "holds", "does not hold", "undecided"


@dataclass(frozen=True)
class Claim:
    """One claim, as claims.json has it.

    Attributes:
        number: of the claim.
        title: what the paper says.
        check: the criterion, after "holds if".
        verdict: HOLDS, FAILS or UNDECIDED.
        reason: of the verdict, in a few words.
        header: of the table of numbers, the paper's and this run's.
        rows: its cells.
        note: how to read it; may be empty.
    """

    number: int
    title: str
    check: str
    verdict: str
    reason: str
    header: list[str]
    rows: list[list[str]]
    note: str = ""


def judge(differences: Mapping[str, Difference]) -> tuple[str, str]:
    """Return the verdict on differences, by name, that should all be above zero, and its reason."""
    if any(found.count == 1 for found in differences.values()):
        return UNDECIDED, "one seed"
    signs = [found.sign for found in differences.values()]
    names = [f"the interval of {name}" for name in differences]
    count = len(signs)
    holds = "the interval is above zero" if count == 1 else f"all {count} intervals are above zero"
    verdict, reason = by_signs(signs, names, holds)
    if verdict == UNDECIDED:
        most = max(
            (found for found in differences.values() if found.sign == 0),
            key=lambda found: found.to_decide or 0,
        )
        reason += f"; seeds that would decide: {needed(most)}"
    return verdict, reason


def by_signs(
    signs: Sequence[int], names: Sequence[str], holds: str, wrong: str = "below"
) -> tuple[str, str]:
    """Return the verdict on intervals, and its reason.

    Args:
        signs: of each interval: 1 on the claim's side of zero, -1 on the other, 0 with zero inside.
        names: of the intervals.
        holds: the reason where all are on the claim's side.
        wrong: where the other side is.
    """
    against, open_ = (
        [name for name, sign in zip(names, signs, strict=True) if sign == s] for s in (-1, 0)
    )
    if against:
        return FAILS, f"{against[0]} is {wrong} zero{_more(against)}"
    if open_:
        return UNDECIDED, f"{open_[0]} contains zero{_more(open_)}"
    return HOLDS, holds


def _more(names: Sequence[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""
