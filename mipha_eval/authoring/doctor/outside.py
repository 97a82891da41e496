"""What is beyond this machine: the hub, and the keys that open servers. No key is ever shown."""

from __future__ import annotations

import os
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from urllib.parse import urlsplit

from mipha_eval.authoring.doctor.places import hugging_face
from mipha_eval.authoring.finding import Finding
from mipha_eval.core.errors import UserError
from mipha_eval.models.served.address import key_from

HUB = "https://huggingface.co"
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
YES = ("1", "true", "yes", "on")
TIMEOUT = 3.0  # seconds for an answer
PATIENCE = 4.0  # seconds for all of it: looking a name up knows no timeout

#: variables with keys, and what they open
KEYS: Mapping[str, str] = {
    "OPENAI_API_KEY": "models and judges of OpenAI",
    "MIPHA_EVAL_API_KEY": "models of any server",
    "MIPHA_EVAL_JUDGE_KEY": "judges of any server",
    "HF_TOKEN": "gated and private repositories of the hub",
}

#: names of variables whose values are nobody's business
SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH", re.IGNORECASE)
SHORTEST = 6  # letters of what is taken for a secret


class Hub:
    """A question to the hub that is under way."""

    def __init__(self) -> None:
        self.offline = next((name for name in OFFLINE if os.environ.get(name, "").strip().lower() in YES), "")
        self.address = os.environ.get("HF_ENDPOINT") or HUB
        self._said = ""
        self._thread = threading.Thread(target=self._ask, daemon=True)
        if not self.offline:
            self._thread.start()

    def _ask(self) -> None:
        """Any answer will do, a refusal, too."""
        try:
            request = urllib.request.Request(f"{self.address.rstrip('/')}/robots.txt", method="HEAD")  # noqa: S310
            with urllib.request.urlopen(request, timeout=TIMEOUT):  # noqa: S310 - the user's own address
                self._said = "answers"
        except urllib.error.HTTPError:
            self._said = "answers"
        except Exception as error:  # whatever an odd address or network leads to
            self._said = f"does not answer: {getattr(error, 'reason', None) or error}"

    def finding(self) -> Finding:
        """What came of it."""
        try:
            host = urlsplit(self.address).hostname or "the hub"  # an address may hold a password
        except ValueError:
            host = "the hub"
        if self.offline:
            return Finding("hub", "note", f"not asked, since {self.offline} is set; what is not in the caches cannot be had")
        self._thread.join(PATIENCE)
        said = self._said or f"does not answer within {PATIENCE:g} s"
        return Finding("hub", "ok" if said == "answers" else "note", f"{host} {said}")


def keys() -> Finding:
    """Which are there."""
    return Finding("keys", "ok", "; ".join(f"{name} {_state(name)} ({opens})" for name, opens in KEYS.items()))


def _state(name: str) -> str:
    try:
        found = bool(key_from([name]))
    except UserError:
        return "present, but no server can be sent it"
    if not found and name == "HF_TOKEN" and (hugging_face() / "token").is_file():
        return "absent, but hf has logged in"
    return "present" if found else "absent"


def without_secrets(text: str) -> str:
    """A text in which nothing stands that a variable with a telling name holds."""
    values = {value.strip() for name, value in os.environ.items() if SECRET.search(name)}
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= SHORTEST:
            text = text.replace(value, "***")
    return text
