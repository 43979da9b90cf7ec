"""Functions that the Lambda API made, kept in the catalogue so that a restart finds them as they were.

Functions of the template are not kept here: the template makes them anew. Enters an entry of the registry with its
URLs, leaves plain values after a restart; each published version is a document of its own.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import asdict

from trine.aws.catalogue import Catalogue
from trine.awslambda.asynchronous.store import all_done
from trine.awslambda.function import Function
from trine.awslambda.registry import Entry
from trine.awslambda.urls.config import UrlConfig

FUNCTION, VERSION = "lambda:function", "lambda:version"


class KeptVersion(NamedTuple):
    """A published version, or `$LATEST`."""

    version: str
    properties: Mapping[str, Any]
    code: Path
    revision: str
    modified_at: float


class KeptFunction(NamedTuple):
    """What is needed to make a function again."""

    latest: KeptVersion
    versions: Sequence[KeptVersion] = ()
    permissions: Sequence[Mapping[str, Any]] = ()
    next_version: int = 1
    published: tuple[str, str] | None = None
    aliases: Sequence[Mapping[str, Any]] = ()
    """Members of `Alias`."""
    event_configs: Sequence[Mapping[str, Any]] = ()
    """`AWS::Lambda::EventInvokeConfig` properties."""
    urls: Sequence[Mapping[str, Any]] = ()
    """Id, Qualifier and the properties of each function URL."""
    provisioned: Mapping[str, tuple[int, float]] = {}
    """Units of provisioned concurrency and when that was set, by qualifier."""


def kept_version(function: Function) -> KeptVersion:
    """A version as it is kept."""
    return KeptVersion(
        function.version, function.properties, function.code_directory, function.revision, function.modified_at
    )


class FunctionStore:
    """Kept functions over a catalogue; without one they live in memory only."""

    def __init__(self, catalogue: Catalogue | None) -> None:
        self._catalogue = catalogue

    def put(self, entry: Entry, urls: Sequence[UrlConfig]) -> Future[None]:
        """Keep everything of a function but its versions; resolves when that is durable."""
        if self._catalogue is None:
            return all_done(())
        document = {
            **_document(kept_version(entry.function)),
            "permissions": [dict(permission) for permission in entry.permissions],
            "nextVersion": entry.next_version,
            "published": entry.published,
            "aliases": [{**asdict(alias), "weights": dict(alias.weights)} for alias in entry.aliases.values()],
            "eventConfigs": [dict(config.properties) for config in entry.event_configs.values()],
            "provisioned": {qualifier: list(asked) for qualifier, asked in entry.provisioned.items()},
            "urls": [{"Id": url.id, "Qualifier": url.qualifier, **url.properties} for url in urls],
        }
        return all_done([self._catalogue.put(FUNCTION, entry.function.name, document)])

    def put_version(self, function: Function) -> Future[None]:
        """Keep a published version."""
        if self._catalogue is None:
            return all_done(())
        name = f"{function.name}/{function.version}"
        return all_done([self._catalogue.put(VERSION, name, _document(kept_version(function)))])

    def remove_version(self, name: str, version: str) -> Future[None]:
        """Forget a published version."""
        if self._catalogue is None:
            return all_done(())
        return all_done([self._catalogue.delete(VERSION, f"{name}/{version}")])

    def remove(self, name: str) -> Future[None]:
        """Forget a function with its versions; harmless when it was never kept."""
        catalogue = self._catalogue
        if catalogue is None or catalogue.get(FUNCTION, name) is None:
            return all_done(())
        versions = [one for one, _ in catalogue.list(VERSION) if one.partition("/")[0] == name]
        return all_done([catalogue.delete(FUNCTION, name), *(catalogue.delete(VERSION, one) for one in versions)])

    def load(self) -> Iterator[KeptFunction]:
        """Every kept function whose code is still there."""
        if self._catalogue is None:
            return
        versions: dict[str, list[KeptVersion]] = {}
        for name, document in self._catalogue.list(VERSION):
            version = _version(document)
            if version.code.is_dir():
                versions.setdefault(name.partition("/")[0], []).append(version)
        for name, document in self._catalogue.list(FUNCTION):
            latest = _version(document)
            if latest.code.is_dir():
                published = document["published"]
                yield KeptFunction(
                    latest,
                    versions.get(name, ()),
                    document["permissions"],
                    document["nextVersion"],
                    None if published is None else (published[0], published[1]),
                    document["aliases"],
                    document["eventConfigs"],
                    document["urls"],
                    {one: (units, at) for one, (units, at) in document.get("provisioned", {}).items()},
                )


def _document(kept: KeptVersion) -> dict[str, Any]:
    return {
        "version": kept.version,
        "properties": dict(kept.properties),
        "code": str(kept.code),
        "revision": kept.revision,
        "modifiedAt": kept.modified_at,
    }


def _version(document: Mapping[str, Any]) -> KeptVersion:
    return KeptVersion(
        document["version"],
        document["properties"],
        Path(document["code"]),
        document["revision"],
        document["modifiedAt"],
    )
