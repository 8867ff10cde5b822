"""Outlook's `.msg`: a message in a compound file. Source: [MS-OXMSG]."""

from __future__ import annotations

import struct

from core.documents import Document
from core.errors import Unfinishable
from ingestion.limits import Limits
from ingestion.mapi import BINARY, FILE_DATA, OBJECT, STRING8, UNICODE, Bag, File, Item
from ingestion.mapi_mail import document
from ingestion.ole import Compound, Storage, damaged

_FIXED = "__properties_version1.0"
_LONG = "__substg1.0_"
_NAMES = "__nameid_version1.0"
_WITHIN = f"{_LONG}{FILE_DATA:04X}{OBJECT:04X}"
_HEADS = {"message": 32, "within": 24, "other": 8}  # bytes before the properties
_KEPT = (STRING8, UNICODE, BINARY)
_PROPERTIES_MAX = 20_000


def read(data: bytes, limits: Limits) -> Document:
    file = Compound(data, limits)
    try:
        reading = _Reading(file, limits)
        item = reading.item(file.root, "message", 0)
    except (struct.error, IndexError) as error:
        raise damaged() from error
    return document("msg", item, limits)


class _Reading:
    def __init__(self, file: Compound, limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self._parts = limits.parts * 4
        self._named = _named(file)

    def item(self, storage: Storage, kind: str, depth: int) -> Item:
        if depth > self._limits.depth:
            raise Unfinishable("The message has too many parts.", code="too_many_parts")
        item = Item(self._bag(storage, kind))
        item.bag.named = self._named
        for name, inner in storage.storages.items():
            if name.startswith("__recip_version1.0_"):
                item.people.append(self._bag(inner, "other"))
            elif name.startswith("__attach_version1.0_"):
                within = inner.storages.get(_WITHIN)
                message = within is not None and _FIXED in within.streams
                file = File(self._bag(inner, "other"))
                if within is not None and message:
                    file.inner = self.item(within, "within", depth + 1)
                item.files.append(file)
        return item

    def _bag(self, storage: Storage, kind: str) -> Bag:
        self._parts -= 1
        if self._parts < 0:
            raise Unfinishable("The message has too many parts.", code="too_many_parts")
        found: dict[int, tuple[int, bytes]] = {}
        fixed = self._file.read(_FIXED, storage)
        begin = _HEADS[kind]
        for at in range(begin, min(len(fixed) - 15, begin + 16 * _PROPERTIES_MAX), 16):
            type_, number = struct.unpack_from("<HH", fixed, at)
            if type_ not in _KEPT and type_ != OBJECT:
                found[number] = type_, fixed[at + 8 : at + 16]
        for name in storage.streams:
            if len(name) == len(_LONG) + 8 and name.startswith(_LONG):
                number, type_ = _numbers(name[len(_LONG) :])
                if type_ in _KEPT:
                    found[number] = type_, self._file.read(name, storage)
        return Bag(found)


def _numbers(told: str) -> tuple[int, int]:
    try:
        return int(told[:4], 16), int(told[4:], 16)
    except ValueError:
        return 0, 0


def _named(file: Compound) -> dict[int, int]:
    """Long ids and the numbers they have in this file."""
    names = file.root.storages.get(_NAMES)
    told = file.read(f"{_LONG}00030102", names) if names else b""
    found: dict[int, int] = {}
    for at in range(0, len(told) - 7, 8):
        own, kind, index = struct.unpack_from("<IHH", told, at)
        if not kind & 1:  # odd ones have a name in words
            found.setdefault(own, 0x8000 + index)
    return found
