"""Kinds of machine in Hathora's words, old and new. Used by the modules of fleets beside this one.

The house keeps the old word, which says the exact size. The new words say a GPU's kind and number and leave the rest
open: several old ones are one of them. All that is told of a kind is read from its words.
"""

from __future__ import annotations

from dataclasses import dataclass

from innkeeper.contract.hathora.fleets_v2 import NodeFamilyId, NodeShapeId, NodeShapeV2

#: Each new word with the old ones that it stands for, the one that is kept for it first. What the vendor's words leave
#: open is which H100 of old is which of the new: those that come in ones, twos, fours and eights are taken for PCIe,
#: the others for SXM5, so that each kind has a word of both generations.
SIZES: dict[NodeShapeId, tuple[str, ...]] = {
    NodeShapeId.AMD64_4_8: ("cpu-4-8",),
    NodeShapeId.AMD64_8_16: ("cpu-8-16",),
    NodeShapeId.AMD64_16_32: ("cpu-16-32",),
    NodeShapeId.AMD64_32_64: ("cpu-32-64",),
    NodeShapeId.AMD64_64_128: ("cpu-64-128",),
    NodeShapeId.AMD64_4_16: ("cpu-4-16",),
    NodeShapeId.AMD64_8_32: ("cpu-8-32",),
    NodeShapeId.AMD64_16_64: ("cpu-16-64",),
    NodeShapeId.AMD64_32_128: ("cpu-32-128",),
    NodeShapeId.L4_1_4: ("gpu-l4-1-4-16",),
    NodeShapeId.L4_1: ("gpu-l4-1-12-48",),
    NodeShapeId.L4_2: ("gpu-l4-2-24-96",),
    NodeShapeId.L4_4: ("gpu-l4-4-48-192",),
    NodeShapeId.L4_8: ("gpu-l4-8-96-384",),
    NodeShapeId.H100_PCIE_1: ("gpu-h100-1-26-234", "gpu-h100-1-28-180"),
    NodeShapeId.H100_PCIE_2: ("gpu-h100-2-52-468", "gpu-h100-2-60-360"),
    NodeShapeId.H100_PCIE_4: ("gpu-h100-4-104-936", "gpu-h100-4-124-720"),
    NodeShapeId.H100_PCIE_8: ("gpu-h100-8-208-1872", "gpu-h100-8-252-1440"),
    NodeShapeId.H100_SXM5_1: ("gpu-h100-1-16-200",),
    NodeShapeId.H100_SXM5_8: ("gpu-h100-8-128-1600", "gpu-h100-8-192-1800", "gpu-h100-8-192-960"),
    NodeShapeId.H200_SXM5_1: ("gpu-h200-1-16-200",),
    NodeShapeId.H200_SXM5_8: ("gpu-h200-8-128-1600",),
}
_ID_OF = {word: shape for shape, words in SIZES.items() for word in words}
#: Each family: how the ids of its shapes begin, and what people call it. The first that fits counts.
_FAMILIES = (
    ("shape-l4-1-4", NodeFamilyId.L4_1_4, "NVIDIA L4, 4 CPU for each GPU"),
    ("shape-l4-", NodeFamilyId.L4_1_12, "NVIDIA L4, 12 CPU for each GPU"),
    ("shape-h100pcie-", NodeFamilyId.H100_PCIE, "NVIDIA H100 PCIe"),
    ("shape-h100sxm5-", NodeFamilyId.H100_SXM5, "NVIDIA H100 SXM5"),
    ("shape-h200sxm5-", NodeFamilyId.H200_SXM5, "NVIDIA H200 SXM5"),
)
#: The families without GPUs, by GiB of memory for each processor.
_PLAIN = {
    2: (NodeFamilyId.AMD64_1_2, "amd64, 2 GiB for each CPU"),
    4: (NodeFamilyId.AMD64_1_4, "amd64, 4 GiB for each CPU"),
}


@dataclass(frozen=True, slots=True)
class Size:
    """What a machine of an old word has."""

    cpus: int
    memory_gib: int
    gpus: int


def size_of(word: str) -> Size:
    """What the kept word of a shape says: ``cpu-4-8`` and ``gpu-l4-1-4-16``."""
    kind, *rest = word.split("-")
    numbers = [int(number) for number in (rest if kind == "cpu" else rest[1:])]
    gpus, cpus, memory = (0, *numbers) if kind == "cpu" else numbers
    return Size(cpus, memory, gpus)


def word_of(shape: NodeShapeId, kept: str | None = None) -> str:
    """The word that is kept for a shape: the one that is, where it is of that shape."""
    return kept if kept is not None and _ID_OF[kept] == shape else SIZES[shape][0]


def shape_of(word: str) -> NodeShapeId:
    """The shape that a kept word is of."""
    return _ID_OF[word]


def told(shape: NodeShapeId) -> NodeShapeV2:
    """A shape as Hathora tells it: with the least that any machine has which an old word of it means."""
    sizes = [size_of(word) for word in SIZES[shape]]
    cpus, memory = min(size.cpus for size in sizes), min(size.memory_gib for size in sizes)
    gpus = sizes[0].gpus
    if gpus:
        family, family_name = next((which, name) for begins, which, name in _FAMILIES if shape.value.startswith(begins))
    else:
        family, family_name = _PLAIN[memory // cpus]
    name = f"{cpus} CPU, {memory} GiB"
    return NodeShapeV2(
        node_shape_id=shape,
        name=f"{gpus} x {family_name.partition(',')[0]}, {name}" if gpus else name,
        family_id=family,
        family_name=family_name,
        min_cpu=cpus,
        min_memory_mb=memory * 1024,
        min_gpu=gpus,
    )
