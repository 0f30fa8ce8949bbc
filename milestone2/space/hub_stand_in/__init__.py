"""A stand-in for the Hugging Face Hub, on this computer alone: for rehearsals in notebook 2_3, and for tests."""

from milestone2.space.hub_stand_in.server import HubStandIn
from milestone2.space.hub_stand_in.state import Account

__all__ = ["Account", "HubStandIn"]
