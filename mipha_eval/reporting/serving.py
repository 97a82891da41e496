"""What a result, and an answer, say of the server that answered, in a line."""

from __future__ import annotations

from collections.abc import Iterator

from mipha_eval.core.printable import printable
from mipha_eval.core.served import Served
from mipha_eval.reporting.marks import share
from mipha_eval.scoring.result_record import ResultRecord
from mipha_eval.scoring.served_counts import ServedCounts


def serving_line(result: ResultRecord) -> str:
    """Who answered, what it took, and what was otherwise than asked for; empty where no server answered."""
    text = serving_text(result)
    return f"{result.task} served{text}" if text else ""


def serving_text(result: ResultRecord) -> str:
    """The same without the task, from `` by`` or the colon on."""
    served = result.served
    return "" if served is None else f"{_names(served)}: {', '.join(_parts(served, result))}"


def answer_serving(served: Served) -> str:
    """Who gave one answer, or what came in place of one, and what it took."""
    name = f"{served.model}{' (ANOTHER MODEL)' if served.another else ''}" if served.model else ""
    names = [name, f"system {served.fingerprint}" if served.fingerprint else ""]
    took = [f"{served.prompt_tokens:,} tokens of the prompt, {served.completion_tokens:,} of the answer"]
    took += [f"{served.usd:.6f} USD"] if served.usd else []
    took += [f"without {', '.join(served.left_out)}"] if served.left_out else []
    took += [f"no {', '.join(served.ignored)} given"] if served.ignored else []
    took += ["a smaller picture"] if served.resized else []
    took += [f"said: {served.said}"] if served.said else []
    return ", ".join([*filter(None, names), *took])


def _names(served: ServedCounts) -> str:
    names = f" by {printable(', '.join(served.served))}" if served.served else ""
    if not served.fingerprints:
        return names
    marks = printable(", ".join(served.fingerprints))
    return f"{names} ({'SEVERAL SYSTEMS, ' if len(served.fingerprints) > 1 else 'system '}{marks})"


def _parts(served: ServedCounts, result: ResultRecord) -> Iterator[str]:
    yield f"{served.prompt_tokens:,} tokens of prompts, {served.completion_tokens:,} of answers"
    if served.usd:
        yield f"{served.usd:.4f} USD"
    if served.truncated:
        yield f"{share(served.truncated, result.n + result.unlabelled)} cut at the limit of tokens"
    if served.left_out:
        yield f"asked without {', '.join(served.left_out)}, which the model refuses"
    for name, count in served.ignored.items():
        yield f"{name} asked for and missing in {count:,} replies"
    if served.resized:
        yield f"{served.resized:,} answers to pictures made smaller"
    again = result.equivalence
    if again is not None and again.checked:
        yield f"asked again, {share(again.checked - again.identical, again.checked)} of {again.checked} answers changed"
