"""Every operation of the OpenAPI document under schemathesis, and signed tokens of odd claims.

Imported by `openapi_project.py` once Django is set up. The examples are the same in each run.
"""

import warnings
from collections.abc import Callable
from typing import Any

import schemathesis
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from forge import forge
from openapi_project import claims

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
BY_MODE = 25
OF_CLAIMS = 90

#: Statuses of every Django view that a document does not repeat: HTTP's own.
NOT_OF_THE_DOCUMENT = {405, 406, 415}

texts = st.one_of(st.text(max_size=40), st.sampled_from(["", "\0", "1\0", "1", "ann", "x" * 5000]))
numbers = st.one_of(
    st.integers(),
    st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**30, -(10**30), 10**400]),
    st.floats(allow_nan=False, allow_infinity=False),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
odd_claims = st.dictionaries(
    st.sampled_from(["user_id", "jti", "exp", "iat", "refresh_exp", "nbf", "aud", "iss", "x"]),
    values,
    max_size=2,
)


def bounded(count: int) -> Callable[[Any], Any]:
    """Return the bounds of a run: how many examples, the same each time, none stored."""
    return examples(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )


class Findings:
    """What was asked, and what was wrong with the answers."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}
        self.statuses: dict[str, list[int]] = {}
        self.wrong: list[str] = []

    def ask(self, case: Any) -> None:
        """Send a request and judge the answer."""
        response = case.call()
        where = case.operation.label
        self.asked[where] = self.asked.get(where, 0) + 1
        seen = self.statuses.setdefault(where, [])
        if response.status_code not in seen:
            seen.append(response.status_code)
        if response.status_code in NOT_OF_THE_DOCUMENT:
            return
        try:
            case.validate_response(response, checks=CHECKS)
        except BaseException as failure:
            self.wrong.append(f"{where}: {str(failure)[:1500]}")


def drive_by_document(operation: Any, findings: Findings) -> None:
    """Ask what the document allows, and what it does not."""
    for mode in schemathesis.GenerationMode:

        @bounded(BY_MODE)
        @given(case=operation.as_strategy(generation_mode=mode))
        def drive(case: Any) -> None:
            findings.ask(case)

        drive()


def drive_by_claims(operation: Any, findings: Findings) -> None:
    """Ask with tokens that are rightly signed and say odd things."""

    @bounded(OF_CLAIMS)
    @given(odd=odd_claims, kind=st.sampled_from(["refresh", "sliding", "access"]))
    def drive(odd: dict[str, Any], kind: str) -> None:
        token = forge(claims(**{"token_type": kind, **odd}), settings.SECRET_KEY)
        request: dict[str, Any] = {"headers": {"Authorization": f"Bearer {token}"}}
        if operation.method == "post":
            request["body"] = {"refresh": token, "token": token}
            request["media_type"] = "application/json"
        findings.ask(operation.Case(**request))

    drive()


def abuse() -> dict[str, Any]:
    """Return what was asked by operation, the statuses met, and every wrong answer."""
    warnings.simplefilter("ignore")
    schema = schemathesis.openapi.from_wsgi("/schema/", get_wsgi_application())
    findings = Findings()
    for found in schema.get_all_operations():
        operation = found.ok()
        drive_by_document(operation, findings)
        drive_by_claims(operation, findings)
    return {"asked": findings.asked, "statuses": findings.statuses, "wrong": findings.wrong}
