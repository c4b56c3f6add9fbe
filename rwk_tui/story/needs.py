"""Which engines a chapter needs, and what is said of it before it is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rwk_tui.board.rows import ChapterRow
from rwk_tui.engines.pins import default_pins
from rwk_tui.engines.verdict import bad_pair, minor_of, verdict
from rwk_tui.story.etcd_schema import EtcdBootstrap, EtcdDiscover, EtcdNew, EtcdRestore, EtcdUpgrade
from rwk_tui.story.kube_schema import KubeUpgrade, needs_kube
from rwk_tui.story.schema import Action, Chapter, Step, Until


def needed_engines(chapter: Chapter, versions: Mapping[str, str]) -> tuple[str, ...]:
    """The engines by minor ("kubernetes-1.37"), given the `versions` of those that are there; some etcd always is.

    Where any minor will do, one that is there is named, and the newest where none is. With Kubernetes, that may be an
    etcd too: the one that is there can be too old for it.
    """
    named = {*chapter.starts.engines, *(engine for step in chapter.steps for engine in _named(step))}
    kube = bool(chapter.starts.api) or any(_is_kube(step) for step in chapter.steps)
    for name in ("kubernetes", "kwok") if kube else ():
        if not any(engine.startswith(f"{name}-") for engine in named):
            named |= _any_minor(name, versions)
    if kube and "kubernetes" not in versions and "etcd" in versions:
        newest = default_pins()
        if bad_pair(versions["etcd"], newest["kubernetes"].version):
            named.add(newest["etcd"].name)
    return tuple(sorted(named))


def better_engines(chapter: Chapter, versions: Mapping[str, str]) -> tuple[str, ...]:
    """The engines that the chapter can do without, but not as well: a current etcd for one that has known faults."""
    etcd = versions.get("etcd", "")
    uses = bool(chapter.starts.etcd) or any(_starts_etcd(step) for step in chapter.steps)
    if not (uses and etcd and verdict(etcd)):
        return ()
    newest = default_pins()["etcd"].name
    return () if newest in versions or newest in needed_engines(chapter, versions) else (newest,)


def lacking(chapter: Chapter, versions: Mapping[str, str]) -> str:
    """Why the chapter can't be told with the engines there are, and what to do; "" if it can."""
    missing = [engine for engine in needed_engines(chapter, versions) if engine not in versions]
    if not missing:
        return ""
    how = f"`rwk-tui engines install {' '.join(missing)}` gets what is missing"
    return f"{chapter.name} needs {' and '.join(missing)}: {how}"


def chapter_row(chapter: Chapter, versions: Mapping[str, str], seen_at: float, *, own: bool = False) -> ChapterRow:
    """The row of a chapter, with what it needs and what it would be better with.

    With engines of the presenter's `own`, it is not better with any other: theirs are meant.
    """
    return ChapterRow(
        seen_at=seen_at,
        name=chapter.name,
        title=chapter.title,
        goal=chapter.goal,
        steps=tuple(step.title for step in chapter.steps),
        engines=needed_engines(chapter, versions),
        better=() if own else better_engines(chapter, versions),
    )


def _any_minor(name: str, versions: Mapping[str, str]) -> set[str]:
    if name in versions:
        # One that we don't install ourselves, but was given, serves as well.
        return {f"{name}-{minor_of(versions[name])}"} & versions.keys()
    return {pin.name for pin in default_pins().values() if pin.engine == name}


def _named(step: Step) -> Iterator[str]:
    return (action.what.to for action in _actions(step) if isinstance(action.what, EtcdUpgrade | KubeUpgrade))


def _starts_etcd(step: Step) -> bool:
    return any(isinstance(action.what, EtcdNew | EtcdBootstrap | EtcdDiscover | EtcdRestore) for action in step.do)


def _is_kube(step: Step) -> bool:
    checks = [check.what for check in step.expect]
    checks += [action.what.check.what for action in _actions(step) if isinstance(action.what, Until)]
    return any(needs_kube(what) for what in (*checks, *(action.what for action in _actions(step))))


def _actions(step: Step) -> tuple[Action, ...]:
    return (*step.do, *step.undo)
