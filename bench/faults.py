"""Every fault of the catalogue, many times each on one lab: `faults.py [TIMES] [etcd|secured|kubernetes] [FAULT...]`.

Each time a probe must see it, all must be well after healing, the card must be there, and whatever must hold must hold.
Targets go round, so that each machine has its turn. Figures are what the lab itself measured. Exits 1 if any failed.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

from harness import SUBNET, Figures, lab_state

from rwk_tui.board.card_row import CardRow
from rwk_tui.board.targets import LEADER
from rwk_tui.daemon.hold import held_lab
from rwk_tui.daemon.strike import NotStruck, Striker
from rwk_tui.faults.base import Stage
from rwk_tui.settings import load_settings


async def once(striker: Striker, fault: str, turn: int) -> CardRow:
    """One fault and its healing; its card. Raises NotStruck."""
    await striker.ready()
    row = await striker.kind(fault)
    targets = sorted(target for target in row.targets if target != LEADER) if row else []
    before = striker.newest
    await striker.inject(fault, targets[turn % len(targets)] if targets else "")
    await striker.seen()
    (card,) = await striker.heal(before)
    if card.verdict != "holds":
        raise NotStruck("; ".join(f"{one.name}: {one.saw}" for one in card.broken) or card.verdict)
    if not card.effect:
        raise NotStruck("no probe saw it")
    return card


def tell(fault: str, cards: list[CardRow], failed: int) -> None:
    """One line of medians."""
    shown = [card.effect_ms / 1000 for card in cards if card.effect_ms is not None]
    well = [card.well_ms / 1000 for card in cards if card.well_ms is not None]
    outages = [max((outage.ms for outage in card.outages if outage.of == "etcd"), default=0.0) / 1000 for card in cards]
    if cards:
        print(f"{fault:20} seen   {Figures(tuple(shown))} s")
        print(f"{fault:20} outage {Figures(tuple(outages))} s")
        print(f"{fault:20} well   {Figures(tuple(well))} s")
    print(f"{fault:20} {len(cards)} held, {failed} failed", flush=True)


async def main() -> int:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    stage: Stage = sys.argv[2] if len(sys.argv) > 2 else "secured"  # type: ignore[assignment]
    wrong: list[str] = []
    with lab_state() as state:
        settings = replace(load_settings({"state": str(state), "subnet": SUBNET}), fast=stage == "kubernetes")
        async with held_lab(settings) as lab:
            striker = Striker(lab, stage)
            rows = await striker.build()
            chosen = sys.argv[3:] or [name for name, row in rows.items() if row.healable and row.targets]
            for name, row in rows.items():
                if row.why and not row.targets:
                    print(f"{name:20} not here: {row.why}")
            for fault in chosen:
                cards = []
                for turn in range(times):
                    try:
                        cards.append(await once(striker, fault, turn))
                    except NotStruck as error:
                        wrong.append(f"{fault}, time {turn + 1}: {error}")
                        await striker.heal(striker.newest)
                tell(fault, cards, times - len(cards))
    print("\n".join(wrong) or f"all held: {len(chosen)} faults, {times} times each")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
