"""Several sections, one after another or a few at once, and the index over them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

from coursework.publish.parameters import ParameterError
from coursework.publish.progress import Progress
from coursework.publish.run import Interrupt, Outcome, run_section
from coursework.publish.sections import Section, find_sections
from coursework.publish.site import write_index


def run_sections(
    sections: Sequence[Section],
    given: Mapping[str, Mapping[str, object]],
    out: Path,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Run `sections`, publish their reports below `out` and keep `out/index.html` in step.

    Parameters
    ----------
    sections : the notebooks to run.
    given : by section (its stem), values for some of its parameters.
    out : the folder of all reports.
    jobs : how many run at once; each is given its part of the machine's cores. By default first those that
        keep one core busy run beside each other, then the others (`Section.parallel`) one by one.
    progress : shows how far the runs are.

    Returns
    -------
    How each section ended, in the order of `sections`, and as one more, if it failed, the index.

    Raises
    ------
    ParameterError
        A value is not one that its notebook declares, or nothing can be written to `out`; nothing was
        started.
    KeyboardInterrupt
        Ctrl-C, once every kernel is gone; finished reports and the index are whole.
    """
    for section in sections:
        section.values(given.get(section.stem, {}))
    _try_to_write(out)
    progress = progress or Progress(list(sections))
    interrupt = Interrupt()

    def run(section: Section, threads: int | None) -> Outcome:
        if interrupt.is_set:
            return Outcome(section.stem, "interrupted", 0.0, "the run was interrupted")
        values = given.get(section.stem, {})
        follow = progress.follow(section)
        return run_section(section, values, out, follow=follow, threads=threads, interrupt=interrupt)

    # the index lists the sections that were not asked for, too
    every = find_sections(sections[0].path.parent) if sections else []
    outcomes: dict[Section, Outcome] = {}
    for group, at_once in _groups(sections, jobs):
        threads = max(1, (os.cpu_count() or 1) // at_once) if at_once > 1 else None
        with ThreadPoolExecutor(at_once, thread_name_prefix="run") as pool:
            futures = {pool.submit(run, section, threads): section for section in group}
            pending = set(futures)
            try:
                while pending:
                    ended, pending = wait(pending, timeout=1.0, return_when=FIRST_COMPLETED)
                    for future in ended:
                        progress.ended(future.result())
                        _index(out, every)
                    progress.tick()
            except BaseException:
                interrupt.set()
                raise
            finally:
                wait(futures)
                failed = _index(out, every)
        outcomes |= {section: future.result() for future, section in futures.items()}
    return [outcomes[section] for section in sections] + failed


def _groups(sections: Sequence[Section], jobs: int | None) -> Iterator[tuple[list[Section], int]]:
    """Yield which sections to run together, and how many of them at once; the groups follow each other."""
    if jobs:
        yield list(sections), jobs
        return
    one_core = [section for section in sections if not section.parallel]
    if one_core or not sections:
        yield one_core, max(1, min(len(one_core), os.cpu_count() or 1))
    for section in sections:
        if section.parallel:
            yield [section], 1


def _try_to_write(out: Path) -> None:
    """Raise a ParameterError where no file can be made in `out`."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise ParameterError(
            f"no reports can be written to {out} ({error.strerror}); name another folder with --out"
        ) from None


def _index(out: Path, sections: Sequence[Section]) -> list[Outcome]:
    """Write the index; return how that ended if it failed, so that no report is lost for it."""
    try:
        write_index(out, sections)
    except Exception as error:  # whatever lies in that folder, the sections' outcomes are told
        return [Outcome("index", "failed", 0.0, f"the index cannot be written: {error}")]
    return []
