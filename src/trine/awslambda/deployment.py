"""Making, changing and deleting functions, with their versions, aliases, layers, permissions and reserved concurrency.

Enters properties as a template or the Lambda API spells them, leaves entries of the registry. What the API made is kept
and found again after a restart; what lies in a directory is watched, and a saved file is live on the next call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from trine.aws.arn import Place
from trine.aws.catalogue import Catalogue
from trine.aws.errors import AwsError
from trine.aws.ids import Ids
from trine.awslambda import limits
from trine.awslambda.code import place_code
from trine.awslambda.concurrency import Concurrency
from trine.awslambda.errors import InvalidParameterValue
from trine.awslambda.function import Function, function_from_properties
from trine.awslambda.function_store import FunctionStore, KeptFunction
from trine.awslambda.layers import LayerStore
from trine.awslambda.machinery import Machinery
from trine.awslambda.permission import resource_policy
from trine.awslambda.registry import Alias, Registry
from trine.awslambda.reload import Reloader
from trine.awslambda.roles import RoleKeeper
from trine.awslambda.urls.config import UrlBook, UrlConfig, url_config
from trine.clock import Clock
from trine.iam.policy import CompiledPolicy


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
        self.kept = FunctionStore(catalogue)
        self.layers = LayerStore(place, state_directory)
        self.urls = UrlBook()
        self._reloader = Reloader(clock, self._reload)

    def start(self) -> None:
        """Watch code folders, and make again what the API made in an earlier run; needs the running event loop."""
        self._reloader.start()
        for kept in self.kept.load():
            if self._registry.get(str(kept.properties.get("FunctionName"))) is None:
                self.put_function(kept.properties, kept.code, kept.permissions)

    def close(self) -> None:
        """End the watching."""
        self._reloader.close()

    def notes(self) -> list[str]:
        """What differs from the template's wishes on this machine, one line each: missing runtimes and layers."""
        functions = self.functions()
        runtimes = sorted({function.runtime for function in functions})
        notes = [note for note in map(self._machinery.interpreters.note, runtimes) if note is not None]
        for function in functions:
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
    ) -> Function:
        """Make or change a function from `AWS::Lambda::Function` properties (FunctionName included).

        `code` is the directory or zip file that CodeUri names; `permissions` are the properties of its
        `AWS::Lambda::Permission` resources. Raises InvalidParameterValue, InvalidZipFile, MalformedPolicy.
        """
        directory = place_code(properties, code, self.state_directory)
        function = function_from_properties(
            properties, directory, self._place, revision=self._ids.uuid(), modified_at=self._clock.now()
        )
        if function.layers:
            function = replace(function, layers_directory=self.layers.folder(function.layers))
        if code is not None and code.is_dir():
            self._reloader.watch(directory, function.name)
        policy = resource_policy(permissions, function.arn, self._place)
        self._concurrency.reserve(function.name, function.reserved_concurrency)
        self._machinery.interpreters.prepare(function.runtime)
        entry = self._registry.put(function, self._machinery.log_store.group(function.log_group))
        entry.permissions, entry.policy = list(permissions), policy
        return function

    def _reload(self, name: str) -> None:
        now, revision = self._clock.now(), self._ids.uuid()
        self._registry.reload(name, lambda function: replace(function, revision=revision, modified_at=now))

    async def delete_function(self, name: str) -> None:
        """Forget a function and end its environments. Raises ResourceNotFound."""
        name = self._registry.find(name)[0].function.name
        await self.kept.remove(name)
        entry = self._registry.remove(name)
        self.urls.remove_function(name)
        self._concurrency.reserve(name, None)
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

    def put_version(self, name: str) -> Function:
        """Publish what `$LATEST` is now (`AWS::Lambda::Version`); `version` of the answer is its number."""
        return self._registry.publish(name)

    def put_alias(self, name: str, alias: str, version: str, weights: Mapping[str, float] | None = None) -> Alias:
        """Make or change an alias (`AWS::Lambda::Alias`). ResourceNotFound when a version does not exist."""
        return self._registry.put_alias(name, Alias(alias, version, weights=weights or {}))

    def put_url(self, url_id: str, properties: Mapping[str, Any], *, create: bool = False) -> UrlConfig:
        """Make or change a function URL from `AWS::Lambda::Url` properties. Raises InvalidParameterValue,
        ResourceNotFound, and ResourceConflict when `create` finds one."""
        named, given = str(properties.get("TargetFunctionArn")), properties.get("Qualifier")
        entry, qualifier = self._registry.find(named, None if given is None else str(given))
        now = self._clock.now()
        known = self.urls.get(url_id)
        created_at = now if known is None else known.created_at
        config = url_config(url_id, entry.function.name, qualifier, properties, created_at, now)
        return self.urls.put(config, create=create)

    # -- permissions and concurrency ---------------------------------------------------------------------------------

    def set_permissions(self, name: str, permissions: Sequence[Mapping[str, Any]]) -> None:
        """Replace what a function's resource policy is made of. Raises InvalidParameterValue, MalformedPolicy."""
        entry, _ = self._registry.find(name)
        entry.policy = resource_policy(permissions, entry.function.arn, self._place)
        entry.permissions = list(permissions)
        entry.allowed.clear()
        if self.kept.has(entry.function.name):
            kept = KeptFunction(entry.function.properties, entry.function.code_directory, entry.permissions)
            self.kept.put(entry.function.name, kept)

    def policy_text(self, name: str) -> str | None:
        """The function's resource policy as JSON, or None."""
        policy = self._registry.find(name)[0].policy
        return None if policy is None else policy[0]

    def policy(self, name: str) -> CompiledPolicy | None:
        """The function's resource policy, compiled, or None."""
        policy = self._registry.find(name)[0].policy
        return None if policy is None else policy[1]

    def reserve_concurrency(self, name: str, units: int | None) -> None:
        """Set or (None) remove a function's reserved concurrency. Raises ResourceNotFound, InvalidParameterValue."""
        entry, _ = self._registry.find(name)
        others = self._concurrency.unreserved_limit + (entry.function.reserved_concurrency or 0)
        if units is not None and others - units < limits.CONCURRENCY_UNRESERVED_MIN:
            raise InvalidParameterValue(
                f"Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution"
                f" below its minimum value of [{limits.CONCURRENCY_UNRESERVED_MIN}]."
            )
        self._concurrency.reserve(entry.function.name, units)
        entry.function = entry.pool.function = replace(entry.function, reserved_concurrency=units)
