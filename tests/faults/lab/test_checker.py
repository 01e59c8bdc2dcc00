"""The checker itself: a clean run is clean, and each invariant notices when it is broken."""

from collections.abc import Iterator
from copy import deepcopy

import psutil
import pytest

from tests.eventually import eventually
from tests.faults.conftest import Deployments
from tests.faults.lab.breaks.catalogue import BREAKS
from tests.faults.lab.breaks.tampering import add_note, stuck
from tests.faults.lab.breaks.versions import VERSION_BREAKS
from tests.faults.lab.checker.checker import judge
from tests.faults.lab.checker.rules import Rules
from tests.faults.lab.checker.violation import DOUBLED, LOST, Violation
from tests.faults.lab.evidence import Evidence
from tests.faults.lab.history import Outcome
from tests.faults.lab.people import Witnessed
from tests.faults.lab.trial import Trial, a_trial
from tests.faults.lab.verbs import edit
from tests.faults.lab.versions import again, fork, show


@pytest.fixture(scope="module")
def clean(deployments: Deployments) -> Evidence:
    """Three completed replies of one person, more than a page of /sync, and one failed reply of another person.

    The third question was edited while it waited. A third person has used each verb of versions once.
    """
    deployment = deployments.get("sqlite")
    deployment.make_whole({})
    with a_trial(deployment) as trial:
        alice, bob = trial.person(), trial.person()
        asked = [alice.ask("chunks=3,gate=first", key="once"), alice.ask(), alice.ask()]
        asked += [edit(alice, alice.chats[0], asked[2].message_id, "chunks=3"), bob.ask("chunks=5,cut_after=2")]
        assert {outcome.kind for outcome in asked} == {"ok"}
        trial.model.open_gate("first")
        all_versions(trial, trial.person())
        return trial.check().must_be_clean().evidence


def all_versions(trial: Trial, person: Witnessed) -> None:
    """A failed answer that was retried, regenerated, edited away and shown again, and a cut one that was continued.

    Then come a note without a reply, and a fork.
    """
    chat = person.chats[0]

    def done(outcome: Outcome, status: str = "completed") -> Outcome:
        assert outcome.kind == "ok", outcome.text
        trial.wait_for_status(outcome, status)
        return outcome

    failed = done(person.ask("chunks=2,status=401,times=1"), "failed")
    retried = done(again(person, chat, failed.reply_id, "retry"))
    done(again(person, chat, retried.reply_id, "regenerate"))
    done(edit(person, chat, failed.message_id, "chunks=2"))
    assert show(person, chat, retried.reply_id).kind == "ok"
    cut = done(person.ask("chunks=3,finish=length"))
    continued = done(again(person, chat, cut.reply_id, "continue"))
    assert person.ask(generates=False).status == 201
    assert fork(person, chat, continued.reply_id).kind == "ok"


@pytest.fixture
def seen(clean: Evidence) -> Evidence:
    return deepcopy(clean)


_ALL = BREAKS | VERSION_BREAKS


@pytest.mark.parametrize("name", _ALL)
def test_what_is_broken_is_noticed(seen: Evidence, name: str) -> None:
    tamper, guard, words = _ALL[name]
    assert judge(seen, Rules()).broken() == set()
    tamper(seen)
    assert words in " ".join(found.what for found in judge(seen, Rules()).violations if found.guard == guard)


def test_what_takes_too_long_or_needs_a_new_process_is_noticed(
    deployments: Deployments, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = deployments.get("sqlite")
    deployment.make_whole({"web": {"HOLDFAST_WEB_WORKERS": "2"}})
    with a_trial(deployment) as trial:
        person = trial.person()
        outcome = person.ask("chunks=2,gate=late")
        trial.wait_for_text(outcome)
        heals = trial._heals

        def heals_with_help() -> Iterator[Violation]:
            master = psutil.Process(trial.programs["web"].pid)
            *others, child = master.children()
            child.kill()
            eventually(lambda: set(master.children()) - {*others, child})  # its master has started another one
            trial.model.open_gate("late")
            trial.wait_for_status(outcome, "completed")
            yield from heals()

        monkeypatch.setattr(trial, "_heals", heals_with_help)
        assert trial.check(within=0.2).broken() >= {"G2", "G12"}


def test_the_verdict_counts_what_was_lost_and_doubled_and_lists_each(seen: Evidence) -> None:
    stuck(seen)
    add_note(seen, "rewritten", "completed", "completed")
    verdict = judge(seen, Rules())
    assert verdict.count(LOST) >= 1
    assert verdict.count(DOUBLED) >= 1
    assert "is still running" in str(verdict)
    with pytest.raises(AssertionError, match="G2 lost"):
        verdict.must_be_clean()
