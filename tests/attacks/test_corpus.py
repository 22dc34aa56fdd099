# SPDX-License-Identifier: Apache-2.0
"""The corpus itself: nothing in it is left out, and nothing waits for a feature that is there."""
from pathlib import Path

import pytest

from . import forwarded, load, placeholders, races, rows, states, verdicts
from .features import DETECTORS, Seen
from .forge_claims import FORGERIES
from .server import Server, temporary_folder
from .world import World

REPOSITORY = Path(__file__).resolve().parents[2]


def test_every_row_runs_or_says_why_not():
    known = {row.id for row in rows.read_corpus()}
    running = {case.row.id for family in rows.FAMILIES for case in rows.cases_of(family)}
    waiting = {key for key in rows.later() if "/" not in key}
    elsewhere = set(rows.covered())
    assert len(known) == 321
    assert running | waiting | elsewhere == known
    assert not waiting & elsewhere
    assert not running & (waiting | elsewhere)


def test_parts_that_wait_are_of_rows_that_run():
    running = {case.row.id for family in rows.FAMILIES for case in rows.cases_of(family)}
    parts = {key.partition("/")[0] for key in rows.later() if "/" in key}
    assert parts <= running


def test_every_refusal_is_predicted_for_a_row_that_runs():
    running = {case.row.id for family in rows.FAMILIES for case in rows.cases_of(family)}
    assert set(rows.refused()) <= running


def test_what_a_row_asks_for_is_known():
    unknown = []
    sentences = {"LOAD": load.SENTENCES, "RACE": races.SENTENCES, "SEQ": forwarded.SENTENCES}
    for family in rows.FAMILIES:
        for case in rows.cases_of(family):
            row = case.row
            known = sentences.get(row.method, states.STATES)
            unknown += [f"{row.id}: {sentence}" for sentence, _ in verdicts.states_of(row)
                        if sentence not in known]
            unknown += [f"{row.id}: {name}" for name in
                        placeholders.FORGE.findall(str(row.body) + "".join(row.headers))
                        if name not in FORGERIES]
    assert not unknown


def test_what_is_covered_elsewhere_is_there():
    missing = [row for row, (file, name) in rows.covered().items()
               if name not in (REPOSITORY / file).read_text(encoding="utf-8")]
    assert not missing


# --- features -------------------------------------------------------------------------------------


def test_every_feature_of_the_list_can_be_seen():
    assert set(rows.later().values()) == set(DETECTORS)


@pytest.mark.parametrize("feature", sorted(DETECTORS))
def test_a_detector_tells_with_from_without(feature, tmp_path):
    everything = {
        "grant_types_supported": ["refresh_token", "authorization_code",
                                  "urn:ietf:params:oauth:grant-type:token-exchange"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "tls_client_auth"],
        "dpop_signing_alg_values_supported": ["ES256"],
    }
    helps = {"serve": "--database postgresql://...", "restore": "--review"}
    (tmp_path / "with" / "clients" / "cpp").mkdir(parents=True)
    (tmp_path / "with" / "deploy").mkdir()
    (tmp_path / "with" / "deploy" / "claviger.sbom.json").touch()
    assert DETECTORS[feature](Seen(everything, lambda *_: 401, helps.get, tmp_path / "with"))
    assert not DETECTORS[feature](Seen({}, lambda *_: 404, lambda _: "", tmp_path))


def test_nothing_waits_for_a_feature_that_is_there():
    with temporary_folder() as folder:
        server = Server(Path(folder))
        try:
            seen = World(server).seen()
            there = {feature for feature, has in DETECTORS.items() if has(seen)}
        finally:
            server.stop()
    waiting = sorted(key for key, feature in rows.later().items() if feature in there)
    assert not waiting, "these rows can run now: take them out of tests/attacks/later.txt"
