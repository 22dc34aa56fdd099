# SPDX-License-Identifier: Apache-2.0
"""Makes docs/reference/compatibility.md from the API document and a table of remarks."""
from __future__ import annotations

HEAD = "docs/reference/compatibility.head.md"
REMARKS = "docs/reference/compatibility.tsv"
VERDICTS = {"same": "the same", "stricter": "stricter", "extra": "extra"}
METHODS = ("get", "post", "put", "patch", "delete")
WARNING = "<!-- Made by tools/generate.py from compatibility.head.md, compatibility.tsv and " \
          "spec/openapi.json; do not edit it by hand. -->\n"

Remarks = dict[str, tuple[str, str]]  # operation to verdict and remark


def read_remarks(text: str) -> Remarks:
    remarks: Remarks = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != 3 or cells[1] not in VERDICTS or cells[0] in remarks:
            raise ValueError(f"{REMARKS}:{number}: no operation of its own, verdict and remark")
        remarks[cells[0]] = (cells[1], cells[2].strip())
    return remarks


def operations_of(document: dict) -> dict[str, dict]:
    return {f"{method.upper()} {path}": operation
            for path, item in document["paths"].items()
            for method, operation in item.items() if method in METHODS}


def find_gaps(document: dict, remarks: Remarks) -> list[str]:
    operations = operations_of(document)
    return [f"{REMARKS}: nothing about {name}" for name in operations if name not in remarks] + [
        f"{REMARKS}: there is no {name}" for name in remarks if name not in operations]


def make_page(document: dict, head: str, remarks: Remarks) -> str:
    operations = operations_of(document)
    tags = dict.fromkeys(operation["tags"][0] for operation in operations.values())
    lines = [WARNING, head, "\n## Operations\n"]
    for tag in tags:
        lines += [f"\n### {tag[0].upper()}{tag[1:]}\n", "| operation | | remark |", "|---|---|---|"]
        for name, operation in operations.items():
            if operation["tags"][0] == tag:
                verdict, remark = remarks.get(name, ("", ""))
                lines.append(f"| `{name}` | {VERDICTS.get(verdict, '?')} |"
                             f" {remark or operation['summary'] + '.'} |")
    return "\n".join(lines) + "\n"
