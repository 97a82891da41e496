"""``mipha-eval certify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.completion import one_of, task_names
from mipha_eval.cli.exit_code import ExitCode

if TYPE_CHECKING:
    from mipha_eval.scoring.certificate import Certificate, OracleAgreement


def certify_tasks(
    tasks: Annotated[
        list[str],
        typer.Argument(autocompletion=task_names, help="Tasks, stock for the stock scorers, stock-NAME for one, or all."),
    ],
    answers: Annotated[int, typer.Option("--answers", min=1, help="At least so many generated answers a task.")] = 10_000,
    data: Annotated[
        str, typer.Option("--data", autocompletion=one_of("demo"), help="A folder in LLaVA's eval layout, or demo.")
    ] = "demo",
    seed: Annotated[int, typer.Option("--seed", help="Another seed makes other answers.")] = 0,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the certificates.")] = Path("certificates"),
    plugin: flags.Plugins = None,
    json: flags.Json = False,
) -> None:
    """Compare a task's scorer with an independent second implementation, and write a certificate."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.core.record import record_json
    from mipha_eval.data.parse_source import parse_source
    from mipha_eval.reporting.terminal import print_lines
    from mipha_eval.scoring.certify import CertifySettings, certify, scored_by_rule
    from mipha_eval.scoring.certify_stock import STOCK, certify_stock, with_oracles

    registry = Registry(plugin or ())
    names = [*registry.names("tasks"), STOCK] if tasks == ["all"] else tasks
    settings, source = CertifySettings(answers, output, seed), parse_source(data, {})
    certificates = []
    for name in (each for given in names for each in (with_oracles() if given == STOCK else [given])):
        rule = name.removeprefix(f"{STOCK}-")
        stock = rule != name and name not in registry.names("tasks")
        one = certify_stock(rule, settings) if stock else certify(scored_by_rule(name, source, registry), settings)
        certificates.append(one)
        if not json:
            print_lines(flags.console(), [certificate_line(certificates[-1], oracle) for oracle in certificates[-1].oracles])
    if json:
        flags.print_json([record_json(certificate) for certificate in certificates])
    if any(certificate.disagreements for certificate in certificates):
        raise typer.Exit(ExitCode.INCOMPLETE)


def certificate_line(certificate: Certificate, oracle: OracleAgreement) -> str:
    """One oracle's verdict."""
    example = f"; {oracle.first_disagreement}" if oracle.disagreements else ""
    return (
        f"{certificate.task} {certificate.sha256[:12]}: {certificate.answers:,} answers, "
        f"{oracle.disagreements:,} disagreements with {oracle.oracle}, "
        f"largest difference {oracle.largest_difference:.1e}{example}"
    )
