"""``mipha-eval predict``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.exit_code import ExitCode
from mipha_eval.core.options import parse_pairs

logger = logging.getLogger(__name__)


def predict_answers(
    questions: Annotated[Path, typer.Option("--questions", help="LLaVA's question JSONL: question_id, image, text.")],
    image_folder: Annotated[Path, typer.Option("--image-folder", help="Where the questions' images are.")],
    answers: Annotated[Path, typer.Option("--answers", help="LLaVA's answer JSONL, to be written.")],
    model: flags.Model = "mipha-tiny",
    options: flags.Options = None,
    max_new_tokens: Annotated[int, typer.Option("--max-new-tokens", min=1, help="Longest answer in tokens.")] = 128,
    batch_size: flags.BatchSize = "auto",
    device: flags.Device = None,
    dtype: flags.Dtype = None,
    no_share: flags.NoShare = False,
    compile: flags.Compile = False,
    allow_bin: flags.AllowBin = False,
    serve: flags.Serve = None,
    threads: flags.Threads = None,
    plugin: flags.Plugins = None,
    fresh: flags.Fresh = False,
    as_published: flags.AsPublished = False,
) -> None:
    """Answer a LLaVA question file, in its order; the same command again goes on where it stopped."""
    flags.limit_threads(threads)
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.runs.model_by_name import model_by_name
    from mipha_eval.runs.predict import PredictSettings, predict

    chosen = {**parse_pairs(options or ()), **flags.model_options(device, dtype, no_share, compile, allow_bin, serve)}
    built = model_by_name(model, chosen, Registry(plugin or ()), as_published=as_published)
    size = flags.batch_size(batch_size)
    outcome = predict(PredictSettings(questions, image_folder, answers, built, max_new_tokens, size, fresh))
    if outcome.left:
        again = "the same command without --fresh goes on" if fresh else "the same command goes on"
        logger.warning("%s of %s questions left; %s", f"{outcome.left:,}", f"{outcome.questions:,}", again)
    else:
        answered = f"{outcome.questions - outcome.failed:,} of {outcome.questions:,} questions"
        logger.log(
            logging.WARNING if outcome.failed else logging.INFO,
            "%s answered in %s, %d failed",
            answered,
            answers,
            outcome.failed,
        )
    if outcome.failed or outcome.left:
        raise typer.Exit(ExitCode.INCOMPLETE)
