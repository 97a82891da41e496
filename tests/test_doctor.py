"""``doctor``: what it says of odd machines, that it says no secrets, and that nothing ends it."""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from pathlib import Path

import pytest

from mipha_eval.authoring.doctor import devices, elsewhere, installation, outside, places, plugins, requirements
from mipha_eval.authoring.doctor.elsewhere import Elsewhere, ElsewhereError, SlowError
from mipha_eval.authoring.doctor.examine import examine
from mipha_eval.authoring.finding import Finding
from tests.conftest import Cli

ROOT = Path(__file__).parents[1]
CANARY = "sk-canary-5d41402abc4b2a76b9719d911017c592"


def examined() -> Mapping[str, Finding]:
    """What is found, by point; a point is there once."""
    found = list(examine())
    assert all("\n" not in each.line and each.line for each in found)
    assert len({each.name for each in found}) == len(found)
    return {each.name: each for each in found}


def test_this_machine(cli: Cli) -> None:
    """Exit code 0, all points, the same in both forms."""
    done = cli("doctor", "--json")
    assert done.code == 0, done.out
    found = {each["name"]: each for each in done.json["findings"]}
    assert done.json["faults"] == 0
    assert {"python", "platform", "mipha-eval", "dependencies", "lock", "java", "devices", "memory", "hub"} <= found.keys()
    assert {
        "place results",
        "place hub cache",
        "place own cache",
        "keys",
        "plugins",
        "extra ocr",
        "cpu threads",
    } <= found.keys()
    assert f"the checkout {ROOT}" in found["mipha-eval"]["line"]
    assert f"torch {metadata.version('torch')}" in found["devices"]["line"]
    assert ".".join(map(str, sys.version_info[:3])) in found["python"]["line"]
    lines = cli("doctor").out.splitlines()[:-1]
    assert [line.split()[0].lower() for line in lines] == [each["level"] for each in found.values()]


def test_no_key_is_shown(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever holds it: a key's variable, an address, a setting that repeats it, a plugin's error."""
    names = (*outside.KEYS, "ANTHROPIC_API_KEY")
    for number, name in enumerate(names):
        monkeypatch.setenv(name, f"{CANARY}{number}")
    monkeypatch.setenv("HF_ENDPOINT", f"http://user:{CANARY}0@localhost:9/")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("MIPHA_EVAL_DATA", f"/data/{CANARY}4")
    package(tmp_path, "leak", f"raise RuntimeError('{CANARY}1')", "model_adapters")
    monkeypatch.syspath_prepend(tmp_path)
    for flags in ([], ["--json"]):
        done = cli("doctor", *flags)
        assert done.code == 0
        assert "canary" not in done.out + done.err
        assert all(f"{name} present" in done.out for name in outside.KEYS)
        assert "model leak" in done.out


def test_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in outside.KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert outside.keys().line.count(" absent (") == len(outside.KEYS)
    (tmp_path / "token").write_text(CANARY)
    monkeypatch.setenv("OPENAI_API_KEY", "  ")
    monkeypatch.setenv("MIPHA_EVAL_API_KEY", "päss")
    line = outside.keys().line
    assert "OPENAI_API_KEY absent" in line
    assert "MIPHA_EVAL_API_KEY present, but no server can be sent it" in line
    assert "HF_TOKEN absent, but hf has logged in" in line
    assert CANARY not in line


# the hub


class Refusing(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(403)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has
        """Nothing is written to the terminal."""


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", outside.OFFLINE)
def test_offline_is_respected(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Nobody is asked."""
    for each in outside.OFFLINE:
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, "1")
    monkeypatch.setattr("urllib.request.urlopen", None)
    found = outside.Hub().finding()
    assert (found.level, f"{name} is set" in found.line) == ("note", True)


def test_the_hub(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """An answer is one, a refusal, too; no answer, and an address that is none, are notes."""
    for each in outside.OFFLINE:
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", address)
    assert outside.Hub().finding() == Finding("hub", "ok", "127.0.0.1 answers")
    for wrong in ("http://127.0.0.1:9", "nonsense", "http://[", "file:///etc/passwd"):
        monkeypatch.setenv("HF_ENDPOINT", wrong)
        assert outside.Hub().finding().level == "note", wrong


def test_a_hub_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in outside.OFFLINE:
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setattr(outside, "PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert "does not answer within 0.1 s" in outside.Hub().finding().line


# packages


def versions(monkeypatch: pytest.MonkeyPatch, **other: str | None) -> None:
    """Makes packages look as if they had other versions, or were missing."""
    real = metadata.version

    def version(name: str) -> str:
        found = other.get(name.replace("-", "_"), real) if name.replace("-", "_") in other else real(name)
        if found is None:
            raise metadata.PackageNotFoundError(name)
        return str(found)

    monkeypatch.setattr(requirements, "version", version)


def test_a_dependency_that_is_too_old(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    versions(monkeypatch, transformers="4.57.1", rich=None)
    done = cli("doctor", "--json")
    assert (done.code, done.json["faults"]) == (2, 1)
    found = {each["name"]: each for each in done.json["findings"]}
    assert found["dependencies"]["level"] == "fault"
    assert "transformers is 4.57.1, not >=5.0" in found["dependencies"]["line"]
    assert "rich is missing" in found["dependencies"]["line"]
    assert "transformers 4.57.1 (locked " in found["lock"]["line"]
    assert len(found) > 15, "the others go on"


@pytest.mark.parametrize("wheel", [False, True])
def test_what_an_extra_of_a_dependency_brings(monkeypatch: pytest.MonkeyPatch, wheel: bool) -> None:
    """openai[aiohttp] needs more than openai does; in a wheel as in a checkout."""
    if wheel:
        monkeypatch.setattr(requirements, "checkout", lambda: None)
    assert requirements.dependencies().level == "ok"
    versions(monkeypatch, httpx_aiohttp=None, aiohttp=None)
    found = requirements.dependencies()
    assert found.level == "fault"
    assert "aiohttp is missing" in found.line
    assert ("the package's own requirements" if wheel else "pyproject.toml") in found.line


def test_a_wheel_has_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    assert requirements.lock().level == "ok" or "locked" in requirements.lock().line
    monkeypatch.setattr(requirements, "checkout", lambda: None)
    found = requirements.lock()
    assert (found.level, "no lock" in found.line) == ("note", True)


def test_a_lock_is_compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A build for a device is no other version; markers of other machines and what is not installed do not count."""
    file = tmp_path / "requirements.lock"
    lines = ["# a comment", "torch==2.13.0", "numpy==1.0", "numpy==9.0 ; sys_platform == 'nowhere'", "no-such-package==1"]
    file.write_text("\n".join(lines))
    versions(monkeypatch, torch="2.13.0+cu130", numpy="2.4.6")
    assert requirements.compared(file) == (1, ["numpy 2.4.6 (locked 1.0)"])


def test_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the same names as pip has them; what is there is said, what is missing with what it would give."""
    versions(monkeypatch, peft=None, onnxruntime="1.30", rapidocr="3.9")
    found = {each.name: each for each in requirements.extras()}
    assert {f"extra {name}" for name in metadata.metadata("mipha-eval").get_all("Provides-Extra") or ()} == found.keys()
    assert found["extra lora"].level == "note"
    assert "peft is missing; `pip install 'mipha-eval[lora]'`" in found["extra lora"].line
    assert found["extra ocr"].level == "ok"
    assert set(requirements.GIVES) == {name.removeprefix("extra ") for name in found}


def test_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (requirements.java().level, "METEOR" in requirements.java().line) == ("note", True)


# machines


def test_a_torch_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As where a library of CUDA's is missing: a fault of one line; a slow one is none."""
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so.13: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    found = devices.devices(devices.start_devices())
    assert found.level == "fault"
    assert "libcudart.so.13" in found.line
    (tmp_path / "torch.py").write_text("import time; time.sleep(60)")
    slow = Elsewhere("mipha_eval.models.found_devices", "found_devices", longest=0.2)
    assert devices.devices(slow).level == "note"
    assert devices.devices(None).level == "fault"


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, level in (("", "ok"), ("1", "ok"), ("100000", "note"), ("many", "note")):
        monkeypatch.setenv("OMP_NUM_THREADS", text)
        assert devices.threads().level == level, text


def test_limits_of_a_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "memory").write_text("123000000\n")
    (tmp_path / "cpu").write_text("50000 100000\n")
    monkeypatch.setattr(devices, "MEMORY_LIMITS", (tmp_path / "none", tmp_path / "memory"))
    monkeypatch.setattr(devices, "CPU_LIMIT", tmp_path / "cpu")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert "a container's limit is 0.1 GB" in devices.memory().line
    assert "0.5 by the container's limit" in devices.threads().line
    (tmp_path / "memory").write_text("max\n")
    (tmp_path / "cpu").write_text("max 100000\n")
    assert "limit" not in devices.memory().line + devices.threads().line


def test_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As the libraries themselves find them."""
    from huggingface_hub import constants

    for name in ("HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert str(places.hub_cache()) == str(Path("~/.cache/huggingface/hub").expanduser())
    assert Path(constants.default_cache_path).name == places.hub_cache().name
    (tmp_path / "hub/one").mkdir(parents=True)
    (tmp_path / "hub/one/blob").write_bytes(b"x" * 20_000_000)
    (tmp_path / "hub/link").symlink_to(tmp_path / "hub/one/blob")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("MIPHA_EVAL_OUT", str(tmp_path / "a/b/c"))
    found = {each.name: each for each in places.places()}
    assert f"{tmp_path / 'hub'}: " in found["place hub cache"].line
    assert "holds 0.02 GB in 1 files" in found["place hub cache"].line
    assert f"{tmp_path / 'a/b/c'}: " in found["place results"].line
    assert "not there yet" in found["place results"].line
    monkeypatch.setattr(places, "SCARCE", 1e18)
    assert places.place("results", tmp_path).level == "note"
    monkeypatch.setattr(places, "LONGEST", -1.0)
    assert places.held(tmp_path).startswith("at least")
    assert places.place("results", tmp_path / "hub/one/blob/folder").level == "note", "below a file"


def test_installations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installation, "checkout", lambda: None)
    assert f"installed in {ROOT / 'mipha_eval'}" in installation.ourselves().line
    monkeypatch.setattr(installation, "NAME", "no-such-package")
    assert installation.ourselves().level == "note"
    monkeypatch.setattr(installation, "OLDEST", (4, 0))
    assert installation.python().level == "fault"
    monkeypatch.setenv("MIPHA_EVAL_DATA", str(tmp_path / "gone"))
    assert installation.settings().level == "note"
    monkeypatch.setenv("MIPHA_EVAL_DATA", "hub:mirror")
    assert installation.settings().level == "ok"


# plugins


def package(folder: Path, name: str, code: str, kind: str) -> None:
    """An installed package with one plugin."""
    (folder / f"{name}_plugin.py").write_text(code)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[mipha_eval.{kind}]\n{name} = {name}_plugin:Model\n")


FINE = """
from dataclasses import dataclass
from mipha_eval import ModelAdapter, Response
print('hello')
@dataclass(frozen=True)
class Model(ModelAdapter):
    name = 'fine'
    def generate(self, batch):
        return [Response('Yes') for _ in batch]
"""


def test_broken_plugins_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each with its reason and place; the others go on, whatever one does to the process it is in."""
    codes = {
        "fine": FINE,
        "syntax": "x = (",
        "missing": "\nimport no_such_package",
        "leaves": "import sys; sys.exit(0)",
        "ends": "import os; os._exit(7)",
        "hangs": "import time; time.sleep(60)",
        "empty": "",
    }
    for name, code in codes.items():
        package(tmp_path, name, code, "model_adapters")
    package(tmp_path, "pope", "raise SystemExit", "tasks")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(elsewhere, "LONGEST", 8.0)
    found = {each.name: each for each in plugins.InstalledPlugins().findings()}
    assert "8 of them from other packages" in found["plugins"].line
    assert found["model fine"] == Finding("model fine", "ok", "from fine: can be imported")
    wrong = {
        "syntax": f"{tmp_path / 'syntax_plugin.py'}:1",
        "missing": f"{tmp_path / 'missing_plugin.py'}:2",
        "leaves": "SystemExit(0)",
        "ends": "exit code 7",
        "hangs": "took longer than 8 s",
        "empty": "Model",
    }
    for name, text in wrong.items():
        assert found[f"model {name}"].level == "note"
        assert text in found[f"model {name}"].line, found[f"model {name}"]
        assert f"from {name}: " in found[f"model {name}"].line
    assert "left out" in found["task pope"].line


def test_a_process_of_its_own() -> None:
    assert Elsewhere("json", "loads", ("[1]",)).result() == [1]
    with pytest.raises(ElsewhereError, match="no_such_module"):
        Elsewhere("no_such_module", "act").result()
    with pytest.raises(SlowError):
        Elsewhere("sys", "stdin", longest=0.0).result()


def test_nothing_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each point may fail in any way, and is a note then."""

    def fail(*given: object) -> None:
        raise LookupError(f"odd {CANARY}")

    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    for module, names in {
        installation: ("python", "machine", "ourselves", "settings"),
        requirements: ("dependencies", "lock", "extras", "java"),
        devices: ("threads", "memory", "start_devices"),
        places: ("places",),
        outside: ("keys", "Hub"),
        plugins: ("InstalledPlugins",),
    }.items():
        for name in names:
            monkeypatch.setattr(module, name, fail)
    found = examined()
    assert len(found) == 15
    assert {each.line for each in found.values()} == {"cannot be told: LookupError: odd ***"}
    assert {each.level for each in found.values()} == {"note"}


def test_the_page_has_every_point(cli: Cli) -> None:
    """docs/doctor.md names what is looked at, and nothing else."""
    page = (ROOT / "docs/doctor.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `([^`]+)`", page, re.MULTILINE))
    found = {each["name"] for each in json.loads(cli("doctor", "--json").out)["findings"]}
    kinds = {re.sub(r"^(extra|place|model|task) .*", r"\1 NAME", name) for name in found}
    assert kinds <= named
    assert named - kinds <= {"model NAME", "task NAME"}
