# SPDX-License-Identifier: Apache-2.0
"""The rows of family FWD, on one server, in the order of the file."""
import pytest

from . import family as attacks


@pytest.fixture(scope="module")
def family():
    yield from attacks.open_family("FWD")


@pytest.mark.parametrize("case", attacks.cases("FWD"))
def test_row(family, case):
    family.run(case)


def test_memory_is_back(family):
    attacks.check_memory(family)


def test_no_secret_is_written(family):
    attacks.check_secrets(family)


def test_it_ends_clean(family):
    attacks.check_end(family)
