"""What a machine's programs and kernel let the lab do with it."""

from __future__ import annotations

from rwk_tui.lab.protocol import Ability
from rwk_tui.lab.remote import shaper
from rwk_tui.lab.remote.agent import Facts


def why_not(ability: Ability, machine: str, facts: Facts) -> str:
    """Why that machine can't do it, in one line with what to do about it; "" if it can."""

    def without(tool: str, package: str) -> str:
        return "" if tool in facts.tools else f"{tool} is not on {machine}: apt install {package} there"

    match ability:
        case "power cut":
            return ""
        case "slow disk":
            return without("strace", "strace")
        case "packet loss":
            return without("nft", "nftables")
        case "delay":
            missing = without("nft", "nftables") or without("tc", "iproute2")
            return missing or ("" if facts.netem else shaper.why_not(machine, "qdisc kind is unknown"))
