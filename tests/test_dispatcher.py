"""Who does what among workers that die, hang and join: against what must hold whatever happens, without processes."""

from __future__ import annotations

import logging
import random
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mipha_eval.cluster import batch_source, crew, dispatcher, member
from mipha_eval.cluster.batch import MOST_DEATHS, MOST_DEATHS_ALONE
from mipha_eval.cluster.cluster import Death
from mipha_eval.cluster.crew import MOST_IN_A_ROW
from mipha_eval.cluster.member import AHEAD
from mipha_eval.cluster.messages import Broken
from mipha_eval.cluster.messages import Said as SaidThere
from mipha_eval.cluster.settings import WorkerSettings
from mipha_eval.cluster.workers import Workers
from mipha_eval.core.data_source import ImageFile
from mipha_eval.core.errors import PluginError, UserError
from mipha_eval.core.types import Image, Request, Response
from tests.conftest import Said
from tests.scripted_cluster import BUDGET, Clock, Far, Node, Script, ScriptedCluster, answer_to, asked

SEEDS = range(60)


@dataclass
class Play:
    """A run on a scripted cluster.

    Attributes:
        answers: by the place of the request.
    """

    workers: Workers
    cluster: ScriptedCluster
    answers: dict[int, Response] = field(default_factory=dict)

    def run(self, requests: Sequence[Request], stop: Callable[[], bool] = lambda: False) -> dict[int, Response]:
        for answered in self.workers.run(requests, stop):
            for place, response in answered:
                assert place not in self.answers, "answered twice"
                self.answers[place] = response
        return self.answers

    def texts(self) -> dict[int, str]:
        return {place: response.text for place, response in self.answers.items()}


Plays = Callable[..., Play]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Plays:
    """Begins a run whose clock is the cluster's."""

    def begin(
        seed: int,
        nodes: Mapping[str, Node] | None = None,
        script: Script | None = None,
        count: int | None = None,
        timeout: float = 1e9,
        batch_size: int | None = None,
    ) -> Play:
        clock = Clock()
        for module in (crew, dispatcher, member):
            monkeypatch.setattr(module, "time", clock)
        there = nodes or {"a": Node(2), "b": Node(1)}
        cluster = ScriptedCluster(seed, there, script or Script(), clock)
        workers = Workers(Far(), cluster, WorkerSettings(count, timeout=timeout), batch_size)
        workers.load()
        return Play(workers, cluster)

    return begin


def questions(seed: int, folders: Sequence[str] = ("/pictures",)) -> list[Request]:
    """Some, a few about each picture, of which some are equal."""
    chance = random.Random(seed)
    found = []
    for number in range(chance.randrange(1, 80)):
        picture = number // chance.randrange(1, 6)
        found.append(asked(number, picture, folders[picture % len(folders)]))
    return found + chance.sample(found, len(found) // 4)


def expected(requests: Sequence[Request]) -> dict[int, str]:
    return {place: answer_to(request.text) for place, request in enumerate(requests)}


def failing(which: Callable[[int], bool], outcome: Broken | Death) -> Callable[[int], Broken | Death | None]:
    """What comes of loading where some workers cannot."""
    return lambda worker: outcome if which(worker) else None


def check_cost(cluster: ScriptedCluster, deaths: int) -> None:
    """No more than the batches that dead workers had are asked again; none has more than it may, costs beside them."""
    assert cluster.most <= AHEAD + 1
    assert len(cluster.sent) - cluster.resent <= cluster.done + AHEAD * deaths
    times = Counter(text for _, _, texts in cluster.sent for text in texts)
    assert max(times.values(), default=0) <= 1 + deaths + cluster.resent


@pytest.mark.parametrize("kills", [0, 1, 2])
def test_workers_die_at_any_moment(play: Plays, kills: int) -> None:
    for seed in SEEDS:
        script = Script(kills=kills)
        found = play(seed, script=script)
        requests = questions(seed)
        found.run(requests)
        assert found.texts() == expected(requests)
        assert not any(response.error for response in found.answers.values())
        check_cost(found.cluster, found.cluster.deaths)
        if not kills:
            assert len(found.cluster.sent) == found.cluster.done
            times = Counter(text for _, _, texts in found.cluster.sent for text in texts)
            assert times == Counter({request.text for request in requests})


def test_nodes_die_and_join(play: Plays) -> None:
    """Also while workers load the model. The last node stays: without any, the run would wait for another."""
    for seed in SEEDS:
        nodes = {name: Node(1 + number % 3) for number, name in enumerate("abcd")}
        found = play(seed, nodes, Script(lost=2, joining=[Node(2), Node(1)]))
        requests = questions(seed)
        found.run(requests)
        assert found.texts() == expected(requests)
        check_cost(found.cluster, found.cluster.deaths)


def test_workers_that_join_are_used(play: Plays) -> None:
    """A node that comes gets its part, whether all devices were asked for or more workers than there is room for."""
    for count in (None, 3):
        requests = [asked(number, number) for number in range(1500)]
        found = play(1, {"a": Node(1)}, Script(joining=[Node(2)]), count=count)
        found.run(requests)
        assert found.texts() == expected(requests)
        nodes = Counter(found.cluster.processes[worker].node for worker, _, _ in found.cluster.sent)
        assert min(nodes["joined 1"], nodes["a"]) > 0


@pytest.mark.parametrize("how", ["poison", "hanging"])
def test_poison_is_one_failed_question(play: Plays, how: str) -> None:
    """Wherever it is, and however many workers there are; no other question fails with it, also where one is killed."""
    reason = "was poisoned" if how == "poison" else "gave no answer for 60 s"
    for seed in SEEDS:
        requests = questions(seed)
        culprit = random.Random(seed).choice(requests)
        script = Script(kills=seed % 2)
        setattr(script, how, {culprit.text})
        nodes = {"a": Node(1 + seed % 3)}
        found = play(seed, nodes, script, timeout=60)
        found.run(requests)
        assert found.answers.keys() == set(range(len(requests)))
        for place, response in found.answers.items():
            if requests[place].text == culprit.text:
                assert response.text == ""
                assert reason in response.error or "was killed" in response.error
            else:
                assert (response.text, response.error) == (answer_to(requests[place].text), "")
        deaths = MOST_DEATHS + MOST_DEATHS_ALONE + seed % 2
        check_cost(found.cluster, len(found.cluster.processes) - len(found.workers.lines()) + deaths)


def test_many_poisonous_questions(play: Plays) -> None:
    """All about a picture, and more than workers may die in a row, of one worker and of several; the others are answered."""
    for seed in SEEDS:
        requests = [asked(number, number // 8) for number in range(80)]
        picture = seed % 10
        culprits = {request.text for request in requests[picture * 8 : picture * 8 + 8]}
        assert 2 * len(culprits) > MOST_IN_A_ROW
        found = play(seed, {"a": Node(1 + seed % 3)}, Script(poison=culprits))
        found.run(requests)
        failed = {requests[place].text for place, response in found.answers.items() if response.error}
        assert failed == culprits
        assert {place: text for place, text in found.texts().items() if text} == {
            place: text for place, text in expected(requests).items() if requests[place].text not in culprits
        }


def test_poison_at_the_very_end(play: Plays) -> None:
    """Where nothing else is left that would show that workers are well."""
    for seed in range(40):
        requests = [asked(number, number // 8) for number in range(40)]
        culprits = {request.text for request in requests[-8:]}
        found = play(seed, {"a": Node(1)}, Script(poison=culprits))
        found.run(requests[:32])
        later = Play(found.workers, found.cluster)
        later.run(requests[32:])
        assert all(response.error for response in later.answers.values())


def test_workers_that_always_die_end_the_run(play: Plays) -> None:
    for seed in SEEDS:
        requests = [asked(number, number // 3) for number in range(200)]
        found = play(seed, script=Script(poison={request.text for request in requests}))
        with pytest.raises(
            UserError, match=r"^\d+ workers ended one after the other without an answer; the last one was po"
        ):
            found.run(requests)
        assert found.cluster.deaths <= 2 * MOST_IN_A_ROW
        assert not any(response.text for response in found.answers.values())


def test_what_was_answered_is_handed_on_before_the_run_is_given_up(play: Plays) -> None:
    """Also what came while answers were made again alone."""
    for seed in SEEDS:
        requests = [asked(number, number // 3) for number in range(400)]
        found = play(seed)
        told: list[object] = []

        def ask(
            found: Play = found, requests: Sequence[Request] = requests, told: list[object] = told, seed: int = seed
        ) -> None:
            for answered in found.workers.run(requests):
                told.append(answered)
                if len(told) == 5:
                    found.cluster.script.poison = {request.text for request in requests}
                    if seed % 2:
                        found.workers.reference(requests[:2])

        with pytest.raises(UserError, match="without an answer"):
            ask()
        assert len(told) >= 5
        assert found.cluster.done - len(told) <= found.cluster.unheard


@pytest.mark.parametrize("kills", [0, 2])
def test_stop_ends_with_what_is_under_way(play: Plays, kills: int) -> None:
    for seed in SEEDS:
        requests = questions(seed)
        found = play(seed, script=Script(kills=kills))
        looks = random.Random(seed).randrange(1, 60)
        stopped: list[int] = []

        def stop(found: Play = found, looks: int = looks, stopped: list[int] = stopped) -> bool:
            if found.cluster.looks >= looks and not stopped:
                stopped.append(len(found.cluster.sent))
            return bool(stopped)

        found.run(requests, stop)
        if stopped:
            assert len(found.cluster.sent) == stopped[0], "something was begun"
        assert found.texts() == {place: text for place, text in expected(requests).items() if place in found.answers}
        told = {text for place in found.answers for text in [requests[place].text]}
        begun = {text for _, _, texts in found.cluster.sent for text in texts}
        assert told <= begun
        if not kills:
            assert told == begun
        # what is asked next has nothing to do with it
        later = Play(found.workers, found.cluster)
        later.run(requests)
        assert later.texts() == expected(requests)


def test_a_run_that_is_left_leaves_nothing_to_the_next(play: Plays) -> None:
    for seed in SEEDS:
        requests = [asked(number, number // 3) for number in range(60)]
        found = play(seed, batch_size=3)
        left: Iterator[object] = found.workers.run(requests)
        next(left)
        left.close()  # type: ignore[attr-defined]
        others = [asked(number, number // 3) for number in range(100, 130)]
        found.run(others)
        assert found.texts() == expected(others)


def test_answers_are_made_again_meanwhile(play: Plays) -> None:
    """By whoever is there, while the others go on; and also where workers die over it, fewer than it takes to give up."""
    for seed in SEEDS:
        requests = questions(seed)
        found = play(seed, script=Script(kills=seed % 3))
        for number, answered in enumerate(found.workers.run(requests)):
            found.answers.update(answered)
            if number % 3 == 0:
                again = found.workers.reference(requests[:3])
                assert [each.text for each in again] == [answer_to(request.text) for request in requests[:3]]
        assert found.texts() == expected(requests)


def test_an_answer_that_no_worker_survives_alone_is_a_failure(play: Plays) -> None:
    requests = [asked(number, number // 3) for number in range(30)]
    found = play(3)
    for number, answered in enumerate(found.workers.run(requests)):
        found.answers.update(answered)
        if not number:
            again = [requests[place] for place, _ in answered[:2]]
            found.cluster.script.poison = {again[1].text}
            first, second = found.workers.reference(again)
            found.cluster.script.poison = ()
            assert first.text == answer_to(again[0].text)
            assert second.error == "each of 3 workers that was asked this alone ended: it was poisoned"
    assert found.texts() == expected(requests)


def test_what_breaks_at_the_costliest_questions_can_answer_the_others(play: Plays) -> None:
    """These are asked first, and by several workers at a time, before anything is answered."""
    for seed in SEEDS[:20]:
        requests = [asked(number, number) for number in range(126)]
        costliest = {request.text for number, request in enumerate(requests) if number % 7 == 6}
        found = play(seed, script=Script(breaking=costliest, fault=False), batch_size=5)
        found.run(requests)
        assert {place for place, response in found.answers.items() if response.error} == set(range(6, 126, 7))


@pytest.mark.parametrize("size", [30, 3000])
def test_a_model_that_breaks_at_everything_is_given_up(play: Plays, size: int) -> None:
    requests = [asked(number, number) for number in range(size)]
    found = play(1, script=Script(breaking={request.text for request in requests}, fault=False))
    with pytest.raises(PluginError, match="its device is lost"):
        found.run(requests)
    assert len(found.cluster.processes) <= MOST_IN_A_ROW + 3


def test_failures_are_no_answers(play: Plays) -> None:
    """A model that only fails, and then breaks, can answer nothing, whatever was heard of it before."""
    requests = [asked(number, number) for number in range(60)]
    texts = {request.text for request in requests}
    found = play(2, script=Script(failing=texts, breaking={requests[6].text}, fault=False), batch_size=3)
    with pytest.raises(UserError, match="its device is lost"):
        found.run(requests)


def test_deaths_until_a_run_is_given_up_do_not_grow_with_it(play: Plays) -> None:
    """Where workers die of every question, though they can say what each costs."""
    begun = []
    for size in (60, 6000):
        requests = [asked(number, number) for number in range(size)]
        found = play(3, script=Script(poison={request.text for request in requests}))
        with pytest.raises(UserError, match="one after the other without an answer"):
            found.run(requests)
        begun.append(len(found.cluster.processes))
    assert begun[1] <= begun[0] + 4


def test_a_driver_that_was_away_takes_nobody_for_hanging(play: Plays) -> None:
    """As one that was suspended: what workers have done meanwhile is heard first."""
    requests = [asked(number, number) for number in range(60)]
    found = play(4, script=Script(prompt=True), timeout=60, batch_size=4)
    for answered in found.workers.run(requests):
        found.answers.update(answered)
        found.cluster.work_all()
        found.cluster.clock.now += 1000
    assert found.texts() == expected(requests)
    assert found.cluster.killed == []


def test_a_model_that_breaks_is_replaced_once_it_has_answered(play: Plays, said: Said) -> None:
    requests = [asked(number, number // 3) for number in range(90)]
    found = play(4, batch_size=3)
    for number, answered in enumerate(found.workers.run(requests)):
        found.answers.update(answered)
        if not number:
            found.cluster.script.breaking = {requests[-1].text}
    failed = {place: response.error for place, response in found.answers.items() if response.error}
    assert failed == {89: "each of 2 workers that was asked this alone ended: it can do nothing more: its device is lost"}
    assert "can do nothing more: its device is lost; its questions are asked of another" in said()


def test_a_model_that_breaks_at_once_is_the_runs_error(play: Plays) -> None:
    """As in one process."""
    requests = [asked(number, number // 3) for number in range(9)]
    found = play(4, script=Script(breaking={request.text for request in requests}))
    with pytest.raises(UserError, match=r"^its device is lost$"):
        found.run(requests)


@pytest.mark.parametrize(
    ("outcome", "error", "text"),
    [
        (Broken("there is no folder x", "-a path=FOLDER"), UserError, "there is no folder x"),
        (Broken("LookupError: odd", fault=False), PluginError, "LookupError: odd"),
        (Death("was killed, or crashed"), UserError, "a worker was killed, or crashed while it loaded the model"),
    ],
)
def test_a_worker_that_cannot_load_ends_the_run_at_its_start(
    play: Plays, outcome: Broken | Death, error: type[Exception], text: str
) -> None:
    for number in range(3):
        with pytest.raises(error) as caught:
            play(number, script=Script(loads=failing(number.__eq__, outcome)))
        assert str(caught.value) == text


@pytest.mark.parametrize("outcome", [Broken("there is no folder x"), Death("was killed, or crashed")])
def test_workers_that_cannot_load_later_take_no_part(play: Plays, outcome: Broken | Death, said: Said) -> None:
    """Those that are there go on, and no more are begun than are needed to see it."""
    for seed in SEEDS:
        requests = [asked(number, number // 3) for number in range(90)]
        found = play(seed, script=Script(loads=failing((2).__lt__, outcome)))
        found.cluster.script.kills = 2
        found.run(requests)
        assert found.texts() == expected(requests)
        assert len(found.cluster.processes) <= 3 + 2 * 3
    assert "takes no part: " in said()


def test_where_all_have_died_and_none_loads_the_run_ends(play: Plays) -> None:
    for seed in range(15):
        requests = [asked(number, number // 3) for number in range(1500)]
        wrong = Broken("there is no folder x") if seed % 2 else Death("was killed, or crashed")
        found = play(seed, script=Script(loads=failing((2).__lt__, wrong)))
        found.cluster.script.kills = 9
        with pytest.raises(UserError, match=r"^no worker can load the model any more; what was answered is stored$"):
            found.run(requests)
        assert all(found.answers[place].text == answer_to(requests[place].text) for place in found.answers)


def test_nobody_is_waited_for_for_ever(play: Plays, said: Said) -> None:
    """Neither at the start, where devices are others', nor when the only node is lost."""
    with pytest.raises(UserError, match=r"^no worker has been ready for an hour; "):
        play(0, {"a": Node(0)}, count=1)
    assert "no worker is ready; waiting for one" in said()
    found = play(0, {"a": Node(1), "b": Node(0)})
    answered = found.workers.run([asked(number, number) for number in range(50)])
    next(answered)
    found.cluster.nodes["a"].room = 0
    found.cluster.kill(0)
    with pytest.raises(UserError, match=r"^no worker has been ready for an hour; "):
        deque(answered)


def test_a_worker_with_another_model_takes_no_part(play: Plays) -> None:
    """At the start it is the run's error; of one that joins a warning, and it answers nothing."""
    model = {"digest": "one"}
    with pytest.raises(UserError, match="has another model than the others: digest is"):
        play(0, script=Script(model=lambda worker: {"digest": "two"} if worker == 1 else model))
    for seed in range(20):
        script = Script(joining=[Node(1)], model=lambda worker: {"digest": "two"} if worker > 2 else model)
        found = play(seed, script=script)
        requests = [asked(number, number // 3) for number in range(200)]
        found.run(requests)
        assert found.texts() == expected(requests)
        assert {worker for worker, _, _ in found.cluster.sent} <= {0, 1, 2}


def test_pictures_are_sent_where_they_cannot_be_seen(play: Plays, tmp_path: Path) -> None:
    """A folder that one node sees and another does not, and a file that is missing in one that it sees."""
    folders = [tmp_path / name for name in ("shared", "alone")]
    for folder in folders:
        folder.mkdir()
        for picture in range(20):
            (folder / f"{picture}.png").write_bytes(f"{folder.name} {picture}".encode())
    shared, alone = map(str, folders)
    for seed in SEEDS:
        missing = f"{shared}/3.png"
        nodes = {"a": Node(1, {shared, alone}), "b": Node(1, {shared}, {missing}), "c": Node(1)}
        requests = [asked(number, number // 4, shared if number < 60 else alone) for number in range(80)]
        found = play(seed, nodes, Script(kills=seed % 3))
        found.run(requests)
        assert found.texts() == expected(requests)
        assert found.cluster.resent <= 1 + found.cluster.deaths


def test_pictures_that_the_driver_cannot_read_travel_as_errors(play: Plays) -> None:
    """The worker says of them what one process would; nothing is waited for."""

    def broken() -> bytes:
        raise OSError("no such picture")

    requests = [Request(f"question {number}", (Image("x.png", "nowhere/x.png", broken),)) for number in range(5)]
    found = play(0)
    found.run(requests)
    assert found.texts() == expected(requests)


def test_a_device_that_is_full_lowers_what_is_handed_out(play: Plays) -> None:
    requests = [asked(number, number) for number in range(300)]
    found = play(0, {"a": Node(1)}, Script(budgets=lambda done: BUDGET if done < 3 else 20))
    found.run(requests)
    sizes = [len(texts) for _, _, texts in found.cluster.sent]
    assert max(sizes[:3]) > 1
    assert set(sizes[3 + AHEAD :]) == {1}  # two of at least eleven tokens are more than twenty


def test_a_worker_that_hangs_over_folders_is_replaced(play: Plays, tmp_path: Path) -> None:
    """As where a network's disk is gone."""
    (tmp_path / "0.png").write_bytes(b"0")
    found = play(0, {"a": Node(1, {str(tmp_path)})}, timeout=30)
    outcome = found.cluster._outcome
    hung: list[object] = []

    def slow(process: object, job: object, sent: object) -> object:
        if not hung or hung[0] is process:
            hung[:] = [process]
            return None
        return outcome(process, job, sent)  # type: ignore[arg-type]

    found.cluster._outcome = slow  # type: ignore[method-assign,assignment]
    request = Request("question 0", (Image("0.png", "x", ImageFile(tmp_path, "0.png")),))
    found.run([request])
    assert found.texts() == {0: answer_to("question 0")}
    assert found.cluster.killed == [0]


def test_other_libraries_words_are_none_of_this_terminals(play: Plays, capsys: pytest.CaptureFixture[str]) -> None:
    """As those of a model in this process, whatever handler a library has here."""
    chatty = logging.getLogger("chatty")
    handler = logging.StreamHandler(sys.stderr)
    chatty.addHandler(handler)
    try:
        found = play(5)
        found.workers._crew.say(member.Member(0), [SaidThere("chatty.part", logging.WARNING, "this and that")])
        assert capsys.readouterr().err == ""
    finally:
        chatty.removeHandler(handler)


def test_room_is_told_of_once(play: Plays, said: Said) -> None:
    """And those for whom there is none are not waited for."""
    found = play(0, {"a": Node(2)}, count=5)
    assert said().count("there is room for 2 of 5 workers; the others begin when there is more") == 1
    assert found.cluster.clock.now < 30


def test_costs_are_asked_where_only_what_is_suspect_is_known(play: Plays, monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker after the other dies over the few questions of which costs are known: others show whether it is these."""
    monkeypatch.setattr(batch_source, "COSTED", 1)
    for seed in SEEDS[:20]:
        requests = [asked(number, number) for number in range(40)]
        poison = {request.text for request in requests[1:5]}
        found = play(seed, nodes={"a": Node(1 + seed % 2)}, script=Script(poison=poison), batch_size=1)
        found.run(requests)
        failed = {requests[place].text for place, response in found.answers.items() if response.error}
        assert failed == poison
