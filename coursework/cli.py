"""The commands: they parse arguments and print, nothing else."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import click

from coursework._common.files import PROJECT_ROOT


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="coursework")
def main() -> None:
    """A workbook on one classic deep-learning assignment: run it, read its reports."""


_NOTEBOOKS = click.option(
    "--notebooks",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=PROJECT_ROOT / "notebooks",
    show_default="the workbook's own",
    help="Folder of the numbered notebooks.",
)
_OUT = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the reports.  [default: reports beside the notebooks' folder]",
)


@main.command()
@click.argument("section", nargs=-1)
@click.option(
    "-p",
    "--parameter",
    "given",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="Set a parameter of every selected section that has it; 3.NAME sets it for section 3 alone.",
)
@_OUT
@click.option(
    "--jobs",
    type=click.IntRange(1),
    help="Sections to run at once; by default 1 and 2 beside each other, then 3, which keeps all cores busy.",
)
@_NOTEBOOKS
def run(
    section: tuple[str, ...],
    given: tuple[tuple[str, str], ...],
    out: Path | None,
    jobs: int | None,
    notebooks: Path,
) -> None:
    """Execute notebooks and write their reports.

    SECTION is a number ("1") or a name ("1_error_backpropagation"); without one, all are run.

    Exit code: 0 when all finished, 1 when one failed, 2 for a wrong section or parameter (nothing is
    started then), 130 after Ctrl-C.
    """
    from coursework.publish.parameters import ParameterError
    from coursework.publish.sections import assign, find_sections, select

    try:
        sections = select(find_sections(notebooks), section)
        values = assign(sections, given)
    except ParameterError as error:
        raise click.UsageError(str(error)) from None
    if not sections:
        raise click.UsageError(f"there is no numbered notebook in {notebooks}")

    from coursework.publish.batch import run_sections
    from coursework.publish.progress import Progress

    signal.signal(signal.SIGTERM, _terminate)
    # a closed terminal; under nohup the signal is ignored, and stays so
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _terminate)
    reports, began = out or notebooks.absolute().parent / "reports", time.monotonic()
    try:
        with Progress(sections) as progress:
            outcomes = run_sections(sections, values, reports, jobs=jobs, progress=progress)
    except ParameterError as error:
        raise click.UsageError(str(error)) from None
    except KeyboardInterrupt:
        click.echo("Interrupted: finished reports are whole, nothing unfinished was published.", err=True)
        sys.exit(130)
    for outcome in outcomes:
        line = f"{outcome.section:<28} {outcome.status:<10} {outcome.seconds:7.1f} s  {outcome.reason}"
        click.echo(line.rstrip())
    click.echo(f"{'total':<28} {'':<10} {time.monotonic() - began:7.1f} s")
    for outcome in outcomes:
        why = reports / outcome.section / "error.html"
        if outcome.status == "failed" and why.is_file():
            click.echo(f"Error: {_shown(why)}")
    click.echo(f"Index: {_shown(reports / 'index.html')}")
    sys.exit(0 if all(outcome.status == "finished" for outcome in outcomes) else 1)


@main.command("list")
@_NOTEBOOKS
def list_sections(notebooks: Path) -> None:
    """List the sections and the parameters of each."""
    from coursework.publish.parameters import ParameterError
    from coursework.publish.sections import find_sections

    try:
        for section in find_sections(notebooks):
            click.echo(f"{section.stem}: {section.title}")
            for parameter in section.parameters:
                click.echo(f"  -p {parameter}")
    except ParameterError as error:
        raise click.ClickException(str(error)) from None


@main.command()
@_OUT
@_NOTEBOOKS
def site(out: Path | None, notebooks: Path) -> None:
    """Write the index again from the reports on disk."""
    from coursework.publish.sections import find_sections
    from coursework.publish.site import write_index

    reports = out or notebooks.absolute().parent / "reports"
    try:
        reports.mkdir(parents=True, exist_ok=True)
        index = write_index(reports, find_sections(notebooks))
    except OSError as error:
        raise click.ClickException(f"the index cannot be written: {error}") from None
    click.echo(f"Index: {_shown(index)}")


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--train", type=click.IntRange(0), default=200, show_default=True, help="Pictures per class.")
@click.option(
    "--validation", type=click.IntRange(0), default=32, show_default=True, help="Pictures per class."
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="0 gives the bundled ones."
)
@click.option("--size", type=click.IntRange(32), default=299, show_default=True, help="Side in pixels.")
def sports(folder: Path, train: int, validation: int, seed: int, size: int) -> None:
    """Render pictures of basketball, hockey and soccer into FOLDER/{train,validation}/{class}/.

    No file is ever replaced, and a folder that holds other pictures is refused.
    """
    from coursework.finetune.sports import render_dataset

    try:
        render_dataset(folder, train=train, validation=validation, seed=seed, size=size)
    except (ValueError, OSError) as error:
        raise click.UsageError(str(error)) from None
    click.echo(f"{3 * (train + validation)} pictures in {_shown(folder)}")


@main.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("cache") / "pretrain",
    show_default=True,
    help="Where the checkpoint and the log are kept; an interrupted run goes on from there.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("cache") / "inception_v3.safetensors",
    show_default=True,
    help="The finished weights; a model card is written beside them.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--pictures",
    type=click.IntRange(1000),
    help="In all, at the recipe's proportions.  [default: the recipe's]",
)
@click.option(
    "--workers", type=click.IntRange(0), default=1, show_default=True, help="Processes that draw pictures."
)
def pretrain(folder: Path, out: Path, seed: int, pictures: int | None, workers: int) -> None:
    """Make the bundled Inception weights: more than an hour on two cores; Ctrl-C, and again to go on."""
    from coursework.finetune.bundle import pretrain_to_file

    try:
        pretrain_to_file(folder, out, seed=seed, pictures=pictures, workers=workers)
    except (ValueError, OSError) as error:
        raise click.UsageError(str(error)) from None
    except KeyboardInterrupt:
        click.echo(
            f"Interrupted: the same command goes on from the checkpoint in {_shown(folder)}.", err=True
        )
        sys.exit(130)
    click.echo(f"Weights: {_shown(out)}, model card: {_shown(out.with_suffix('.md'))}")


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("question")
@click.argument("formula")
@click.option("--json", "as_json", is_flag=True, help="Print the judgement as JSON.")
@click.option(
    "--level",
    type=click.Choice(["what", "where", "mend"]),
    default="mend",
    show_default=True,
    help="How much is told of a slip: what is wrong, also where, also how to mend it.",
)
def check(question: str, formula: str, as_json: bool, level: str) -> None:
    """Judge FORMULA as the answer to QUESTION (1.1 to 1.6, 2.1 to 2.4) and name the slip if it is wrong.

    FORMULA is LaTeX, plain text or numpy; "-" reads it from standard input.

    Exit code: 0 right, 1 wrong, 2 cannot be read.
    """
    from coursework.backprop.judge.answer import check as judged
    from coursework.backprop.judge.questions import UnknownQuestion

    if formula == "-":
        formula = sys.stdin.read(1_000_000)
    try:
        answer = judged(question, formula.strip(), level=level)
    except UnknownQuestion as error:
        raise click.UsageError(str(error)) from None
    click.echo(json.dumps(answer.as_dict(), indent=2) if as_json else str(answer))
    sys.exit({"right": 0, "wrong": 1, "unreadable": 2}[answer.status])


def _terminate(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


def _shown(path: Path) -> Path:
    """Return `path` as it is shortest to type from here."""
    path = path.absolute()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
