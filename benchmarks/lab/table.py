"""The one table of `quick`, and the lines below it that explain its figures."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks.lab.load import INSTANT_1, INSTANT_50, LOADS, STREAMS_20, STREAMS_100, Load, Result, Side, percentile

Values = list[float]
WIDTHS = (46, 15, 15, 13, 15)


class Figure(NamedTuple):
    name: str
    load: Load
    of: Callable[[Result], Values]
    target: str
    form: str = ".1f"


def milliseconds(values: Sequence[float], *percents: float) -> Values:
    return [1000 * percentile(values, percent) for percent in percents]


FIGURES = [
    Figure("accept p50 / p99, ms, 20 at once", STREAMS_20,
           lambda of: milliseconds(of.accept, 50, 99), "<= 3 x direct"),
    Figure("first text over the model's own p50 / p99, ms", STREAMS_20,
           lambda of: milliseconds(of.first_text, 50, 99), "<= 20 / 45"),
    Figure("chunk lag p50 / p99, ms, 20 at once", STREAMS_20,
           lambda of: milliseconds(of.lag, 50, 99), "<= 8 / 20"),
    Figure("chunk lag p99, ms, 100 at once", STREAMS_100,
           lambda of: milliseconds(of.lag, 99), "<= 60"),
    Figure("CPU per reply, ms, 100 at once", STREAMS_100,
           lambda of: [1000 * of.cpu_per_reply], "<= 1.0 x direct"),
    Figure("replies a second, 32 at once, 1 chunk", INSTANT_1,
           lambda of: [of.rate], ">= 0.7 x direct", ".0f"),
    Figure("replies a second, 32 at once, 50 chunks", INSTANT_50,
           lambda of: [of.rate], ">= 1.5 x direct", ".0f"),
]  # fmt: skip


def show(direct: Side, ours: Side) -> None:
    compare(FIGURES, {"direct": direct, "ours": ours})
    _line("memory, idle, with Redis, no PostgreSQL, MiB", "-", f"{_own(ours.idle_memory):.0f}", "", "<= 350")
    _line("CPU, idle, the same programs, of one core", "-", f"{_own(ours.idle_cores):.3f}", "", "<= 0.03")
    _explain({"direct": direct, "ours": ours})


def compare(figures: Sequence[Figure], sides: dict[str, Side]) -> None:
    """Print a line for each figure: both sides, and the second as a multiple of the first."""
    _line("figure", *sides, "ratio", "target")
    for figure in figures:
        first, second = (figure.of(side.results[figure.load]) for side in sides.values())
        ratio = [after / before for before, after in zip(first, second, strict=True)]
        values = (_joined(first, figure.form), _joined(second, figure.form))
        _line(figure.name, *values, _joined(ratio, ".2f") + " x", figure.target)


def _line(*cells: str) -> None:
    print(" | ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)))


def _joined(values: Values, form: str) -> str:
    return " / ".join(format(value, form) for value in values)


def _own(by_program: dict[str, float]) -> float:
    """The sum over all programs of `make run`: with Redis, without PostgreSQL."""
    return sum(value for name, value in by_program.items() if name != "postgres")


def _explain(sides: dict[str, Side]) -> None:
    ours = sides["ours"]
    print(f"\nidle memory, MiB: {_by_program(ours.idle_memory, '.0f')}")
    print(f"memory after all of it, MiB: {_by_program(ours.processes.pss(), '.0f')}")
    print(f"idle CPU, of a core: {_by_program(ours.idle_cores, '.4f')}")
    explain(LOADS, sides)


def explain(loads: Sequence[Load], sides: dict[str, Side]) -> None:
    """Print the explanation of the figures: counts, problems, CPU by program, CPU of the load itself."""
    for load in loads:
        print(f"\n{load.at_once} at once, {load.plan}:")
        for name, side in sides.items():
            _explain_result(name, side.results[load])


def _explain_result(name: str, result: Result) -> None:
    each = {program: 1000 * used / max(1, len(result.good)) for program, used in result.cpu.items()}
    problems = Counter(reply.problem for reply in result.replies if reply.problem)
    print(
        f"  {name}: {len(result.good)} replies, {problems.total()} lost or failed, CPU each, ms:"
        f" {_by_program(each, '.1f')}; load's CPU {result.load_cpu / result.seconds:.2f} of its core"
    )
    for problem, times in problems.most_common(3):
        print(f"    {times} x {problem[:300]}")


def _by_program(values: dict[str, float], form: str) -> str:
    return ", ".join(f"{name} {format(value, form)}" for name, value in values.items())
