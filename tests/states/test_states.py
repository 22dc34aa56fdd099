# SPDX-License-Identifier: Apache-2.0
"""Two tables: every issuing path for every kind of holder after every change, and every use of a
token after every change. A path that forgets a check that its siblings have fails here."""
from __future__ import annotations

import pytest
import requests
from scenario.api import describe

from .holders import KINDS, OF_TOKENS, Change, Holder, Tenant, disable_tenant
from .paths import PATHS, IssuingPath
from .uses import USES, Use

ISSUING = [(path, kind, change) for path in PATHS
           for kind, (_, grant, changes) in KINDS.items() if grant in path.grants
           for change in changes]
USING = [(use, kind, change) for use in USES
         for kind, (_, _, changes) in KINDS.items() if kind in use.kinds
         for change in changes + OF_TOKENS]


def named(case: tuple) -> str:
    path_or_use, kind, change = case
    return f"{path_or_use.name}-{kind}-{change.name}"


def keep(tenant: Tenant, answer: requests.Response) -> dict:
    """The tokens of an answer, which must be nowhere in the logs."""
    given = answer.json()
    tenant.admin.secrets.update(value for name, value in given.items()
                                if name.lower().replace("_", "").endswith("token"))
    return given


@pytest.mark.parametrize("case", ISSUING, ids=named)
def test_who_gets_a_token(tenant_for, case: tuple[IssuingPath, str, Change]):
    path, kind, change = case
    make, grant, _ = KINDS[kind]
    tenant = tenant_for(change.ends_the_tenant)
    holder: Holder = make(tenant)
    if grant != "refresh_token":  # good once
        before = path.send(tenant, grant, holder.shown)
        assert before.status_code == 200, describe(before)
        keep(tenant, before)
    change.make(holder)
    after = path.send(tenant, grant, holder.shown)
    if change.gives_tokens:
        assert after.status_code == 200, describe(after)
        keep(tenant, after)
        return
    # A tenant that is disabled has no clients, whoever asks.
    refused_as = "client_credentials" if change.make is disable_tenant else grant
    assert after.status_code == path.refusal(refused_as), describe(after)
    assert "oken\":" not in after.text


@pytest.mark.parametrize("case", USING, ids=named)
def test_whose_token_is_good(tenant_for, case: tuple[Use, str, Change]):
    use, kind, change = case
    make, grant, _ = KINDS[kind]
    tenant = tenant_for(change.ends_the_tenant)
    holder: Holder = make(tenant)
    token = holder.token = use.token_of(holder, grant)
    tenant.admin.secrets.add(token)
    assert use.is_good(tenant, token), "the token was no good before the change"
    change.make(holder)
    assert use.is_good(tenant, token) == (change.keeps_tokens or change in use.unmoved_by)
