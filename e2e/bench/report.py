"""Figures as JSON lines for programs and as a table for people."""

import json
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

OURS = "ours"
BARE = "bare Pyodide"


def load_average() -> float | None:
    """How many programs wanted a processor in the last minute; None where the system does not tell."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def percentile(samples: Sequence[float], percent: int) -> float:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


@dataclass
class Report:
    """All figures of one run."""

    lines: list[str] = field(default_factory=list)
    medians: dict[tuple[str, str], float] = field(default_factory=dict)

    def add(self, peer: str, metric: str, unit: str, samples: Sequence[float], note: str = "") -> None:
        """Tell one figure at once, so that an interrupted run is not lost."""
        values = [round(value, 3) for value in samples]
        figure = {"peer": peer, "metric": metric, "unit": unit, "samples": values, "note": note, "load": load_average()}
        print(json.dumps(figure, ensure_ascii=False), flush=True)
        median, last = statistics.median(values), max(values)
        self.medians[peer, metric] = median
        many = f"{percentile(values, 95):10.3g} {last:10.3g}" if len(values) > 1 else " " * 21
        load = figure["load"] if figure["load"] is not None else "?"
        self.lines.append(f"{peer:13}{metric:62}{median:10.4g} {many} {unit:3} {len(values):5} {load:>6}  {note}")
        print(self.lines[-1], file=sys.stderr, flush=True)

    def add_ratio(self, metric: str, ours: str, bare: str) -> None:
        """Tell how many times as long we take as a page that does nothing but start Python."""
        self.add("ratio", metric, "x", [self.medians[OURS, ours] / self.medians[BARE, bare]])

    def print_table(self) -> None:
        head = f"{'':13}{'':62}{'median':>10} {'p95':>10} {'max':>10} {'':3} {'n':>5} {'load':>6}"
        print("\n".join(["", f"{os.cpu_count()} processors", head, *self.lines]), file=sys.stderr)
