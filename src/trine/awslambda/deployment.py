"""Making, changing and deleting functions, with their versions, aliases, layers, permissions and reserved concurrency.

Enters properties as a template or the Lambda API spells them, leaves entries of the registry. What the API made is kept
and found again after a restart; what lies in a directory is watched, and a saved file is live on the next call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.awslambda import limits
from trine.awslambda.asynchronous.events import config_from_properties
from trine.awslambda.code import place_code
from trine.awslambda.concurrency import Concurrency
from trine.awslambda.environments.machinery import Machinery
from trine.awslambda.errors import InvalidParameterValue, ResourceConflict
from trine.awslambda.function import DebugPort, Function, function_from_properties
from trine.awslambda.function_store import FunctionStore, KeptFunction, KeptVersion
from trine.awslambda.layers import LayerStore
from trine.awslambda.permission import resource_policies
from trine.awslambda.registry import Alias, Registry
from trine.awslambda.reload import Reloader
from trine.awslambda.roles import RoleKeeper
from trine.awslambda.runtimes.known import runtime_of
from trine.awslambda.urls.config import UrlBook, UrlConfig, url_config
from trine.clock import Clock

_RESERVED = "ReservedConcurrentExecutions"


class Deployment:
    """The functions of one service as what they are made of."""

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        access: RoleKeeper,
        place: Place,
        state_directory: Path,
        catalogue: Catalogue | None,
        registry: Registry,
        concurrency: Concurrency,
        machinery: Machinery,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._access = access
        self._place = place
        self._registry = registry
        self._concurrency = concurrency
        self._machinery = machinery
        self.state_directory = state_directory
        """Where unpacked code and merged layers lie."""
        self._store = FunctionStore(catalogue)
        self.layers = LayerStore(place, state_directory, clock, catalogue)
        self.urls = UrlBook(place.region)
        self._reloader = Reloader(clock, self._reload, state_directory)

    def start(self) -> None:
        """Watch code folders, and make again what the API made in an earlier run; needs the running event loop."""
        self._reloader.start()
        self.layers.load()
        for kept in self._store.load():
            if self._registry.get(str(kept.latest.properties.get("FunctionName"))) is None:
                self._restore(kept)

    def _restore(self, kept: KeptFunction) -> None:
        latest = kept.latest
        name = self.put_function(latest.properties, latest.code, kept.permissions).name
        entry, _ = self._registry.find(name)
        entry.kept = True
        entry.function = entry.pool.function = self._of_version(latest)
        entry.versions = {one.version: self._of_version(one) for one in sorted(kept.versions, key=_number)}
        entry.next_version, entry.published = kept.next_version, kept.published
        for alias in kept.aliases:
            self._registry.put_alias(name, Alias(**alias))
        for properties in kept.event_configs:
            entry.event_configs[properties.get("Qualifier")] = config_from_properties(properties)
        for url in kept.urls:
            self.put_url(url["Id"], {**url, "TargetFunctionArn": name})
        if kept.provisioned:
            entry.provisioned.update(kept.provisioned)
            self._registry.on_versions_changed(entry)

    def _of_version(self, kept: KeptVersion) -> Function:
        function = function_from_properties(
            kept.properties, kept.code, self._place, revision=kept.revision, modified_at=kept.modified_at
        )
        layers = self.layers.folder(function.layers) if function.layers else None
        return replace(function, version=kept.version, layers_directory=layers)

    async def keep(self, name: str) -> None:
        """Store how a function is now, when the API made it; functions of the template are the template's."""
        entry, _ = self._registry.find(name)
        if entry.kept:
            await self._store.put(entry, [url for url in self.urls if url.function == entry.function.name])

    def close(self) -> None:
        """End the watching."""
        self._reloader.close()

    def notes(self) -> list[str]:
        """What differs from the template's wishes on this machine, one line each: missing runtimes and layers."""
        functions = self.functions()
        runtimes = sorted({function.runtime for function in functions})
        notes = [note for note in map(self._machinery.interpreters.note, runtimes) if note is not None]
        layers = self._machinery.interpreters.layers
        for function in functions:
            if function.wants_snap_start and not (runtime_of(function.runtime).takes_snapshots and layers.namespaces):
                notes.append(
                    f"{function.name}: no SnapStart: only Python's is done here, where there are namespaces; each "
                    "environment runs its own init"
                )
            missing = self.layers.missing(function.layers)
            notes += [
                f"{function.name}: the layer {arn} is not part of this stack; its content is missing" for arn in missing
            ]
        return notes

    # -- functions ---------------------------------------------------------------------------------------------------

    def put_function(
        self,
        properties: Mapping[str, Any],
        code: Path | None,
        permissions: Sequence[Mapping[str, Any]] = (),
        *,
        dependencies: Path | None = None,
        runtime_packages: Path | None = None,
        debug: DebugPort | None = None,
    ) -> Function:
        """Make or change a function from `AWS::Lambda::Function` properties (FunctionName included).

        `code` is the directory or zip file that CodeUri names; `permissions` are the properties of its
        `AWS::Lambda::Permission` resources; `dependencies` is a folder of installed packages, `runtime_packages`
        one of those that the runtime brings on AWS; `debug` is where its debugger listens.
        Raises InvalidParameterValue, InvalidZipFile, MalformedPolicy.
        """
        directory = place_code(properties, code, self.state_directory)
        function = function_from_properties(
            properties, directory, self._place, revision=self._ids.uuid(), modified_at=self._clock.now()
        )
        layers = self.layers.folder(function.layers) if function.layers else None
        function = replace(
            function,
            layers_directory=layers,
            dependencies_directory=dependencies,
            runtime_packages=runtime_packages,
            debug=debug,
        )
        if code is not None and code.is_dir():
            self._reloader.watch(directory, function.name)
        policies = resource_policies(permissions, function.arn, self._place)
        self._concurrency.reserve(function.name, function.reserved_concurrency)
        self._machinery.interpreters.prepare(function.runtime)
        entry = self._registry.put(function, self._machinery.log_store.group(function.log_group))
        entry.permissions, entry.policies = list(permissions), policies
        return function

    async def make_function(self, properties: Mapping[str, Any], code: Path) -> Function:
        """Make or change a function for the API; resolves when that is durable. Raises as `put_function`."""
        known = self._registry.get(str(properties.get("FunctionName")))
        function = self.put_function(properties, code, () if known is None else known.permissions)
        if known is None:
            self._registry.find(function.name)[0].kept = True
        await self.keep(function.name)
        return function

    def _reload(self, name: str) -> None:
        now, revision = self._clock.now(), self._ids.uuid()
        self._registry.reload(name, lambda function: replace(function, revision=revision, modified_at=now))

    async def delete_function(self, name: str) -> None:
        """Forget a function and end its environments. Raises ResourceNotFound."""
        name = self._registry.find(name)[0].function.name
        await self._store.remove(name)
        entry = self._registry.remove(name)
        self.urls.remove_function(name)
        self._concurrency.reserve(name, None)
        self._machinery.starter.snapshots.forget(entry.function.arn)
        await self._machinery.close_pools(entry.pools.values())

    def functions(self) -> list[Function]:
        """Every function, by name."""
        return [entry.function for entry in self._registry]

    def try_role(self, role_arn: str) -> None:
        """InvalidParameterValue when Lambda may not assume a role."""
        try:
            session = self._access.assume_role_for_service(role_arn, "validation", "lambda.amazonaws.com")
        except AwsError as error:
            raise InvalidParameterValue("The role defined for the function cannot be assumed by Lambda.") from error
        self._access.revoke(session)

    # -- layers, versions and aliases --------------------------------------------------------------------------------

    def put_layer(self, properties: Mapping[str, Any], content: Path) -> str:
        """Make a layer from `AWS::Lambda::LayerVersion` properties (LayerName included); the ARN of its version.

        Functions that use it are put afterwards. Raises InvalidParameterValue, InvalidZipFile.
        """
        return self.layers.put(properties, content)

    def put_version(self, name: str, description: str | None = None) -> Function:
        """Publish what `$LATEST` is now (`AWS::Lambda::Version`); `version` of the answer is its number."""
        version = self._registry.publish(name, description, revision=self._ids.uuid())
        self._machinery.starter.snapshots.prepare(version)
        return version

    async def publish(self, name: str, description: str | None = None) -> Function:
        """As `put_version`, for the API."""
        version = self.put_version(name, description)
        if self._registry.find(name)[0].kept:
            await self._store.put_version(version)
            await self.keep(name)
        return version

    async def delete_version(self, name: str, version: str) -> None:
        """Forget a published version and end its environments. ResourceConflict while an alias names it."""
        pool = self._registry.remove_version(name, version)
        if self._registry.find(name)[0].kept:
            await self._store.remove_version(name, version)
            await self.keep(name)
        self._machinery.starter.snapshots.forget(self._registry.find(name)[0].function.arn, version)
        if pool is not None:
            await self._machinery.close_pools([pool])

    def put_alias(self, name: str, alias: str, version: str, weights: Mapping[str, float] | None = None) -> Alias:
        """Make or change an alias (`AWS::Lambda::Alias`). ResourceNotFound when a version does not exist."""
        return self._registry.put_alias(name, Alias(alias, version, weights=weights or {}, revision=self._ids.uuid()))

    async def make_alias(self, name: str, alias: Alias, *, create: bool) -> Alias:
        """As `put_alias`, for the API; ResourceConflict when it must be new and is not."""
        made = self._registry.put_alias(name, replace(alias, revision=self._ids.uuid()), create=create)
        await self.keep(name)
        return made

    async def delete_alias(self, name: str, alias: str) -> None:
        """Forget an alias with its URL and event configuration; harmless when there is none."""
        entry, _ = self._registry.find(name)
        self._registry.remove_alias(name, alias)
        entry.event_configs.pop(alias, None)
        for url in [one for one in self.urls if (one.function, one.qualifier) == (entry.function.name, alias)]:
            self.urls.remove(url)
        await self.keep(entry.function.name)

    def put_url(self, url_id: str, properties: Mapping[str, Any], *, create: bool = False) -> UrlConfig:
        """Make or change a function URL from `AWS::Lambda::Url` properties. Raises InvalidParameterValue,
        ResourceNotFound, and ResourceConflict when `create` finds one."""
        named, given = str(properties.get("TargetFunctionArn")), properties.get("Qualifier")
        entry, qualifier = self._registry.find(named, None if given is None else str(given))
        if create and self.urls.has(entry.function.name, qualifier):
            raise ResourceConflict(
                f"Failed to create function url config for [functionArn = {entry.arn(qualifier)}]. Error message:  "
                "FunctionUrlConfig exists for this Lambda function"
            )
        now = self._clock.now()
        known = self.urls.get(url_id)
        created_at = now if known is None else known.created_at
        config = url_config(url_id, entry.function.name, qualifier, properties, created_at, now)
        return self.urls.put(config)

    async def make_url(self, url_id: str, properties: Mapping[str, Any], *, create: bool = False) -> UrlConfig:
        """As `put_url`, for the API."""
        config = self.put_url(url_id, properties, create=create)
        await self.keep(config.function)
        return config

    async def remove_url(self, config: UrlConfig) -> None:
        """Forget a function URL."""
        self.urls.remove(config)
        await self.keep(config.function)

    # -- permissions and concurrency ---------------------------------------------------------------------------------

    async def set_permissions(self, name: str, permissions: Sequence[Mapping[str, Any]]) -> None:
        """Replace what a function's resource policy is made of. Raises InvalidParameterValue, MalformedPolicy."""
        entry, _ = self._registry.find(name)
        entry.policies = resource_policies(permissions, entry.function.arn, self._place)
        entry.permissions = list(permissions)
        entry.allowed.clear()
        await self.keep(name)

    async def reserve_concurrency(self, name: str, units: int | None) -> None:
        """Set or (None) remove a function's reserved concurrency. Raises ResourceNotFound, InvalidParameterValue."""
        entry, _ = self._registry.find(name)
        others = self._concurrency.unreserved_limit + (entry.function.reserved_concurrency or 0)
        if units is not None and others - units < limits.CONCURRENCY_UNRESERVED_MIN:
            raise InvalidParameterValue(
                f"Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution"
                f" below its minimum value of [{limits.CONCURRENCY_UNRESERVED_MIN}]."
            )
        self._concurrency.reserve(entry.function.name, units)
        properties = {key: one for key, one in entry.function.properties.items() if key != _RESERVED}
        if units is not None:
            properties[_RESERVED] = units
        entry.function = entry.pool.function = replace(
            entry.function, reserved_concurrency=units, properties=properties
        )
        await self.keep(name)


def _number(version: KeptVersion) -> int:
    return int(version.version)
