"""What ``fairlead mirror`` tells: its plan before, what came of it after, as text or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fairlead.client.mirror.plan import Action, Plan, Step
from fairlead.client.trace import printable, show_duration

if TYPE_CHECKING:
    from fairlead.client.mirror.run import Mirrored

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def table(plan: Plan) -> Iterator[str]:
    """A line for each step: what is done, why, to how many octets, where."""
    for step in plan.steps:
        size = show_size(step.item.size) if step.action is Action.COPY and step.item.size is not None else ""
        yield f"{step.action:<7} {step.reason:<17} {size:>10}  {_shown(step)}"


def planned(plan: Plan) -> str:
    """The plan in a sentence."""
    return f"{_counted(_counts(plan.steps), plan.octets, _TO_DO) or 'nothing to do'}; {_rest(plan)}"


def achieved(result: Mirrored) -> str:
    """What was done, in a sentence."""
    done = _counted(result.done, result.octets, _DONE) or "nothing was to be done"
    failed = len(result.troubles)
    undone = f"; {failed} thing{'s' * (failed != 1)} could not be done" if failed else ""
    return f"{done} in {show_duration(result.seconds)}; {_rest(result.plan)}{undone}"


def kept(result: Mirrored) -> str:
    """Why nothing was removed."""
    things = f"{result.kept} thing{'s' * (result.kept != 1)}"
    return f"{things} that the source does not have stay in the target, since not everything else could be done"


def record(step: Step) -> dict[str, Any]:
    """A step for ``--json``."""
    return {"action": step.action, "path": step.path, "reason": step.reason, "size": step.item.size}


def report(result: Mirrored, *, source: str, target: str, dry: bool) -> dict[str, Any]:
    """All of it for ``--json``."""
    return {
        "source": source,
        "target": target,
        "dry_run": dry,
        "plan": [record(step) for step in result.plan.steps],
        "unchanged": result.plan.unchanged,
        "passed_over": [item.path for item in result.plan.passed_over],
        "done": {action: 0 if dry else result.done[action] for action in Action},
        "octets": result.octets,
        "seconds": result.seconds,
        "kept": result.kept,
        "troubles": [{"path": trouble.path, "why": trouble.why} for trouble in result.troubles],
    }


def show_size(octets: int) -> str:
    """Octets in a unit that fits, as progress bars have them: 1023 bytes, 1.2 MiB."""
    size, unit = float(octets), 0
    while size >= 1023.95 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{octets} bytes"


_TO_DO = {
    Action.COPY: "{} to copy ({})",
    Action.MKDIR: "{} to make",
    Action.REMOVE: "{} to remove",
    Action.RMDIR: "{} to remove",
}
_DONE = {
    Action.COPY: "{} copied ({})",
    Action.MKDIR: "{} made",
    Action.REMOVE: "{} removed",
    Action.RMDIR: "{} removed",
}
_NOUNS = {
    Action.COPY: ("file", "files"),
    Action.MKDIR: ("directory", "directories"),
    Action.REMOVE: ("file", "files"),
    Action.RMDIR: ("directory", "directories"),
}


def _counts(steps: Sequence[Step]) -> dict[Action, int]:
    counts = dict.fromkeys(Action, 0)
    for step in steps:
        counts[step.action] += 1
    return counts


def _counted(counts: dict[Action, int], octets: int, phrases: dict[Action, str]) -> str:
    parts = []
    for action in (Action.COPY, Action.MKDIR, Action.REMOVE, Action.RMDIR):
        count = counts[action]
        if count:
            noun = _NOUNS[action][count != 1]
            parts.append(phrases[action].format(f"{count} {noun}", show_size(octets)))
    return ", ".join(parts)


def _rest(plan: Plan) -> str:
    same = f"{plan.unchanged} the same already"
    passed = len(plan.passed_over)
    if not passed:
        return same
    return f"{same}, {passed} link{'s' * (passed != 1)} and the like passed over"


def _shown(step: Step) -> str:
    return printable(step.path) + "/" * (step.action in {Action.MKDIR, Action.RMDIR})
