"""Certificates of suites' rules: a suite's own code gave the same readings and numbers, and no rule has changed since."""

from __future__ import annotations

import functools
import hashlib
import json

from msgspec import Struct

from mipha_eval.core.files import read_json
from mipha_eval.core.plugins.import_closure import closure_digest, import_closure
from mipha_eval.core.plugins.registry import own_module, plugin_folder
from mipha_eval.core.record import Count, Finite, Text, checked, record_json
from mipha_eval.scoring.suite_rules.suites import Suite

FOLDER = "suites"


class RuleAgreement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one rule and the suite's code compare.

    Attributes:
        rule: the suite's name of the number.
        task: whose questions were answered.
        data: digest of the questions.
        answers: how many were compared, each reading and worth.
        numbers: how often the number itself was.
        largest_difference: of a worth, or of a number in percent or points.
        first_disagreement: in words, where there is one.
    """

    rule: Text
    task: Text
    data: Text
    answers: Count
    numbers: Count
    disagreements: Count
    largest_difference: Finite
    first_disagreement: str = ""


class SuiteCertificate(Struct, frozen=True, kw_only=True):
    """``certificates/suites/SUITE.json``.

    Attributes:
        source, version: of the code that was run, as it names itself.
        made: the day.
        seed: of the answers.
        code: digest of the rules.
        sha256: of all the rest.
    """

    suite: Text
    source: Text
    version: Text
    made: Text
    seed: int
    code: Text
    rules: tuple[RuleAgreement, ...]
    sha256: str = ""

    @property
    def answers(self) -> int:
        """Of all rules."""
        return sum(rule.answers for rule in self.rules)

    @property
    def disagreements(self) -> int:
        """Of all rules."""
        return sum(rule.disagreements for rule in self.rules)


def rules_digest(suite: Suite) -> str:
    """Identifies the code of a suite's rules: its module, what applies them, and all that these import."""
    names = (suite.module, "mipha_eval.scoring.suite_rules.number")
    places = {name: file for name in names if (file := own_module(name)) is not None}
    return closure_digest(import_closure(places, own_module))


def sealed(certificate: SuiteCertificate) -> str:
    """The hash of a certificate's content, which is its name."""
    content = {key: value for key, value in record_json(certificate).items() if key != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@functools.lru_cache(maxsize=8)
def read_certificate(suite: Suite) -> SuiteCertificate | None:
    """The bundled certificate of a suite, if it is about the code that there is."""
    path = plugin_folder("certificates") / FOLDER / f"{suite.name}.json"
    if not path.is_file():
        return None
    found = checked(SuiteCertificate, read_json(path), str(path))
    return found if (found.sha256, found.code) == (sealed(found), rules_digest(suite)) else None


def certificate_line(suite: Suite) -> str:
    """What stands under a table."""
    found = read_certificate(suite)
    if found is None:
        return f"{suite}: no current certificate"
    told = f", {found.disagreements:,} disagreements" if found.disagreements else ""
    return f"{suite}: certificate {found.sha256[:12]}, {found.answers:,} answers through its own code{told}"
