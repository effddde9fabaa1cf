"""Names for players who gave none: an adjective, a colour, an animal. Used by ``players.py``."""

from __future__ import annotations

from innkeeper.kit.ids import Chance

_ADJECTIVES = (
    "agile", "airy", "ample", "bold", "brave", "brisk", "calm", "candid", "cheery", "clever", "cosy", "crafty",
    "daring", "deft", "dreamy", "eager", "early", "fabled", "fierce", "fleet", "fluffy", "frank", "gentle", "giddy",
    "gleeful", "grand", "happy", "hardy", "hasty", "humble", "jolly", "keen", "kindly", "limber", "lively", "lucky",
    "mellow", "merry", "mighty", "modest", "nimble", "noble", "patient", "perky", "plucky", "polite", "proud", "quick",
    "quiet", "rapid", "roving", "rugged", "sleepy", "sly", "snug", "sparky", "spry", "steady", "sturdy", "sunny",
    "swift", "tidy", "wary", "witty",
)  # fmt: skip
_COLOURS = (
    "amber", "apricot", "aqua", "azure", "beige", "black", "blue", "bronze", "brown", "cherry", "cobalt", "copper",
    "coral", "cream", "crimson", "cyan", "emerald", "fawn", "gold", "green", "grey", "indigo", "ivory", "jade",
    "khaki", "lemon", "lilac", "lime", "maroon", "mauve", "mint", "navy", "ochre", "olive", "orange", "peach",
    "pearl", "pink", "plum", "purple", "red", "rose", "ruby", "russet", "rust", "sand", "sepia", "silver",
    "slate", "tan", "teal", "umber", "violet", "white", "wine", "yellow",
)  # fmt: skip
_ANIMALS = (
    "adder", "badger", "bat", "bear", "beaver", "bee", "bison", "boar", "buzzard", "carp", "cat", "cod",
    "crab", "crane", "crow", "cuckoo", "deer", "dove", "duck", "eagle", "eel", "egret", "elk", "falcon",
    "ferret", "finch", "fox", "frog", "gannet", "gecko", "goat", "goose", "grouse", "hare", "hawk", "hedgehog",
    "heron", "ibex", "jackdaw", "jay", "kestrel", "kite", "lark", "lemur", "lizard", "llama", "lynx", "magpie",
    "marten", "mole", "moose", "moth", "mouse", "newt", "otter", "owl", "panther", "perch", "pike", "plover",
    "puffin", "quail", "rabbit", "raven", "robin", "rook", "seal", "shrew", "snail", "sparrow", "squid", "stag",
    "starling", "stoat", "stork", "swan", "swift", "tapir", "tern", "thrush", "toad", "trout", "turtle", "viper",
    "vole", "walrus", "weasel", "whale", "wolf", "wren", "yak", "zebra",
)  # fmt: skip


def made_up_name(chance: Chance) -> str:
    """A name such as ``brisk-teal-otter``, one of some three hundred thousand. Two players may get the same."""
    return f"{chance.choice(_ADJECTIVES)}-{chance.choice(_COLOURS)}-{chance.choice(_ANIMALS)}"
