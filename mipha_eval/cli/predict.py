"""``mipha-eval predict``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.exit_code import ExitCode
from mipha_eval.cli.flag_groups import takes_flags
from mipha_eval.cli.run_flags import HowFlags, ModelFlags
from mipha_eval.runs.defaults import MAX_NEW_TOKENS

logger = logging.getLogger(__name__)


@takes_flags("models", "check", "workers", "cluster", "gpus_per_worker", "worker_timeout", "plan")
def predict_answers(
    questions: Annotated[
        Path, typer.Option("--questions", exists=True, help="LLaVA's question JSONL: question_id, image, text.")
    ],
    image_folder: Annotated[
        Path, typer.Option("--image-folder", exists=True, file_okay=False, help="Where the questions' images are.")
    ],
    answers: Annotated[Path, typer.Option("--answers", help="LLaVA's answer JSONL, to be written.")],
    who: ModelFlags,
    how: HowFlags,
    max_new_tokens: Annotated[
        int, typer.Option("--max-new-tokens", min=1, help="Longest answer in tokens.")
    ] = MAX_NEW_TOKENS,
) -> None:
    """Answer a LLaVA question file, in its order; the same command again goes on where it stopped."""
    flags.limit_threads(how.threads)
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.runs.model_by_name import model_by_name
    from mipha_eval.runs.predict import PredictSettings, predict

    chosen = {**flags.option_texts(who.options), **who.flagged}
    built = model_by_name(who.name, chosen, Registry(who.plugin or ()), as_published=who.as_published)
    outcome = predict(PredictSettings(questions, image_folder, answers, built, max_new_tokens, how.batch, how.fresh))
    if outcome.left:
        again = "the same command without --fresh goes on" if how.fresh else "the same command goes on"
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
