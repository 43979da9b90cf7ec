"""Triggers: functions that a pool asks before and tells after a person signs up or in.

Enters what happened, leaves the function's `response`. The event is Cognito's, field for field ("Customizing user pool
workflows with Lambda triggers"); the function's resource policy must allow `cognito-idp.amazonaws.com` for this pool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

from trine.aws.arn import Place
from trine.aws.errors import AwsError
from trine.aws.invoke import Invoker, InvokeRequest, ServiceCaller
from trine.clock import Clock
from trine.cognito import limits
from trine.cognito.errors import InvalidLambdaResponse, UnexpectedLambda, UserLambdaValidation
from trine.cognito.model import Pool, User
from trine.trace import Trace

SERVICE = "cognito-idp.amazonaws.com"


class Triggers:
    """Invokes the functions that pools name."""

    def __init__(self, invoker: Invoker, place: Place, clock: Clock) -> None:
        self._invoker, self._place, self._clock = invoker, place, clock

    @staticmethod
    def function_of(pool: Pool, trigger: str) -> tuple[str, str] | None:
        """The function's ARN and the version of its event, or None."""
        if trigger == "PreTokenGeneration":
            newer = pool.triggers.get("PreTokenGenerationConfig")
            if newer:
                version = {"V2_0": "2", "V3_0": "3"}.get(str(newer.get("LambdaVersion")), "1")
                return str(newer["LambdaArn"]), version
        arn = pool.triggers.get(trigger)
        return (str(arn), "1") if arn else None

    async def ask(
        self,
        pool: Pool,
        user: User,
        client_id: str,
        source: str,
        request: Mapping[str, Any],
        response: Mapping[str, Any],
        trace: Trace,
    ) -> Mapping[str, Any]:
        """What the function behind `source` (`PreSignUp_SignUp`) answers; `response` itself when there is none.

        UserLambdaValidation when it raises, InvalidLambdaResponse for nonsense, UnexpectedLambda when it cannot run.
        """
        prefix = source.partition("_")[0]
        trigger = "PreTokenGeneration" if prefix == "TokenGeneration" else prefix
        found = self.function_of(pool, trigger)
        if found is None:
            return response
        arn, version = found
        event = {
            "version": version,
            "region": self._place.region,
            "userPoolId": pool.id,
            "userName": user.username,
            "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client_id},
            "triggerSource": source,
            "request": {"userAttributes": {**user.attributes, "cognito:user_status": user.status}, **request},
            "response": dict(response),
        }
        caller = ServiceCaller(SERVICE, pool.arn, self._place.account_id)
        asked = InvokeRequest(arn, orjson.dumps(event), caller=caller, trace=trace)
        answer = await self._answer(trigger, asked)
        changed = answer.get("response") if isinstance(answer, dict) else None
        if not isinstance(changed, dict):
            raise InvalidLambdaResponse(f"Unrecognizable lambda output: {trigger} must return the event it was given")
        trace.step("cognito.triggers", {"trigger": source, "function": arn})
        return changed

    async def _answer(self, trigger: str, asked: InvokeRequest) -> Any:
        running = self._invoker.invoke(asked)
        deadline = self._clock.call_later(limits.TRIGGER_TIMEOUT_SECONDS, running.cancel)
        try:
            answered = await running
        except asyncio.CancelledError:
            if not running.cancelled():
                raise
            raise UserLambdaValidation(f"{trigger} invocation failed due to timeout.") from None
        except AwsError as error:
            message = f"{trigger} invocation failed due to error {error.code}."
            raise UnexpectedLambda(message) from error
        finally:
            deadline.cancel()
        try:
            document = orjson.loads(answered.payload)
        except orjson.JSONDecodeError:
            raise InvalidLambdaResponse(f"{trigger} returned what is no JSON") from None
        if answered.function_error is not None:
            message = document.get("errorMessage", "") if isinstance(document, dict) else ""
            raise UserLambdaValidation(f"{trigger} failed with error {message}.")
        return document
