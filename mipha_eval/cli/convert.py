"""``mipha-eval convert``."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Annotated, Optional

import typer

from mipha_eval.cli.completion import checkpoint_forms, templates
from mipha_eval.cli.exit_code import ExitCode
from mipha_eval.core.errors import UserError

logger = logging.getLogger(__name__)


def convert_checkpoint(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A checkpoint's folder or hub id.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="The folder to be; new, or empty.")],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            autocompletion=checkpoint_forms,
            help="safetensors: the same checkpoint without pickles; transformers: LLaVA's or Mipha's as one that hf-chat "
            "runs; llava: one of transformers (llava-hf) in LLaVA's own layout.",
        ),
    ] = "safetensors",
    base: Annotated[
        str, typer.Option("--base", help="The model that a LoRA adapter, or a projector alone, was trained on.")
    ] = "",
    vision_tower: Annotated[
        str, typer.Option("--vision-tower", help="The tower of a checkpoint that has none: a folder or hub id.")
    ] = "",
    template: Annotated[
        str,
        typer.Option(
            "--template", autocompletion=templates, help="A conversation template, where it is not the checkpoint's own."
        ),
    ] = "",
    revision: Annotated[Optional[str], typer.Option("--revision", help="A commit or tag of a hub repository.")] = None,
) -> None:
    """Write a checkpoint anew: pickles as safetensors, LLaVA's layout as transformers', transformers' as LLaVA's."""
    from mipha_eval.models.conversion.convert import Conversion, convert

    asked = Conversion(
        path=path,
        target=output,
        form=to,
        revision=revision,
        base=base,
        vision_tower=vision_tower,
        template=template,
    )
    try:
        weights = convert(asked)
    except UserError as error:
        raise UserError(str(error), flag=_own_flag(error.flag)) from error
    except KeyboardInterrupt:
        logger.warning("stopped; nothing of %s is left", output)
        raise typer.Exit(ExitCode.INCOMPLETE) from None
    size = sum(weight.bytes for weight in weights)
    logger.info("%s weights, %s, in %s", f"{len(weights):,}", _shown(size), output)


def _own_flag(flag: str) -> str:
    """A flag of this verb for one of the verbs that run models."""
    option = re.fullmatch(r"-a (\w+)=(.*)", flag)
    return f"--{option[1].replace('_', '-')} {option[2]}" if option else flag


def _shown(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
