"""A pretended firewall, for tests of the house that have no network: it keeps what it is told, and can misbehave."""

from __future__ import annotations

from innkeeper.engines.firewall.nftables import FirewallAway
from innkeeper.engines.firewall.walls import Walls


class PretendedFirewall:
    """Holds what a house says, and outlives it."""

    def __init__(self) -> None:
        self.walls = Walls()  #: what stands now
        self.written = 0  #: how often it was written
        self.asked = 0  #: how often it was to be held
        self.tried = 0  #: how often it was proved
        self.lacks = ""  #: why it cannot be used here, as one sees at once
        self.kernel_lacks = ""  #: the same, as one sees by trying
        self.away = ""  #: why it refuses now; empty: it does not

    @property
    def open_to(self) -> dict[int, list[str]]:
        """Who reaches each port."""
        return {port: [str(one) for one in listed.networks] for port, listed in self.walls.open_to.items()}

    async def why_not(self, engine: str = "") -> str:
        return self.lacks

    async def prove(self) -> str:
        self.tried += 1
        return self.kernel_lacks

    async def hold(self, walls: Walls) -> bool:
        self.asked += 1
        if self.away:
            raise FirewallAway(self.away)
        changed = walls != self.walls
        self.walls = walls
        self.written += changed
        return changed
