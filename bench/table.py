# SPDX-License-Identifier: Apache-2.0
"""The figures of a run."""
from __future__ import annotations


class Table:
    """Figures with their gates, printed as they come and kept for the record."""

    HEAD = ["figure", "measured", "against", "ratio", "gate", ""]

    def __init__(self) -> None:
        self.rows: list[list[str]] = []

    def add(self, *row: str) -> None:
        self.rows.append(list(row))
        print("  " + "  ".join(f"{cell:<{width}}" for cell, width in
                               zip(row, [46, 22, 40, 6, 14, 6])).rstrip(), flush=True)

    def ratio(self, figure: str, measured: float, against: float, what: str, gate: float) -> None:
        ratio = measured / against
        self.add(figure, f"{measured:,.0f}/s", f"{against:,.0f}/s {what}", f"{ratio:.2f}",
                 f">= {gate:.2f}", "ok" if ratio >= gate else "MISSED")

    def limit(self, figure: str, measured: float, unit: str, most: float) -> None:
        self.add(figure, f"{measured:,.2f} {unit}", "", "", f"<= {most:,.2f} {unit}",
                 "ok" if measured <= most else "MISSED")

    def plain(self, figure: str, measured: str, against: str = "") -> None:
        self.add(figure, measured, against, "", "", "")

    def markdown(self) -> str:
        lines = [self.HEAD, ["---"] * len(self.HEAD), *self.rows]
        return "".join("| " + " | ".join(line) + " |\n" for line in lines)
