"""IAM's OpenID Connect providers."""

from __future__ import annotations

from trine.iam.api.operation import ApiOperation, Output, Turn, everything, page, tag_list
from trine.iam.federation import OidcProvider
from trine.iam.provision import check_tags


def _named(turn: Turn) -> OidcProvider:
    return turn.access.federation.get(turn.input["OpenIDConnectProviderArn"])


def create(turn: Turn) -> Output:
    """CreateOpenIDConnectProvider."""
    given = turn.input
    tags = check_tags(given.get("Tags", ()))
    provider = turn.access.federation.create(
        given["Url"], list(given.get("ClientIDList", ())), list(given.get("ThumbprintList", ())), tags
    )
    return {"OpenIDConnectProviderArn": provider.arn, "Tags": tag_list(provider.tags)}


def get(turn: Turn) -> Output:
    """GetOpenIDConnectProvider."""
    provider = _named(turn)
    return {
        "Url": provider.url,
        "ClientIDList": provider.client_ids,
        "ThumbprintList": provider.thumbprints,
        "CreateDate": provider.created_at,
        "Tags": tag_list(provider.tags),
    }


def list_all(turn: Turn) -> Output:
    """ListOpenIDConnectProviders."""
    return {"OpenIDConnectProviderList": [{"Arn": arn} for arn in sorted(turn.access.federation.providers)]}


def delete(turn: Turn) -> Output:
    """DeleteOpenIDConnectProvider."""
    turn.access.federation.delete(_named(turn))
    return {}


def add_client(turn: Turn) -> Output:
    """AddClientIDToOpenIDConnectProvider; adding twice is no error."""
    provider = _named(turn)
    if turn.input["ClientID"] not in provider.client_ids:
        provider.client_ids = [*provider.client_ids, turn.input["ClientID"]]
        turn.access.federation.save(provider)
    return {}


def remove_client(turn: Turn) -> Output:
    """RemoveClientIDFromOpenIDConnectProvider; removing one that is not there is no error."""
    provider = _named(turn)
    provider.client_ids = [one for one in provider.client_ids if one != turn.input["ClientID"]]
    turn.access.federation.save(provider)
    return {}


def update_thumbprints(turn: Turn) -> Output:
    """UpdateOpenIDConnectProviderThumbprint."""
    provider = _named(turn)
    provider.thumbprints = list(turn.input["ThumbprintList"])
    turn.access.federation.save(provider)
    return {}


def list_tags(turn: Turn) -> Output:
    """ListOpenIDConnectProviderTags."""
    return page(tag_list(_named(turn).tags), turn.input, "Tags")


def _arn(turn: Turn) -> str:
    return str(turn.input["OpenIDConnectProviderArn"])


OPERATIONS = {
    "CreateOpenIDConnectProvider": ApiOperation(create, everything),
    "GetOpenIDConnectProvider": ApiOperation(get, _arn),
    "ListOpenIDConnectProviders": ApiOperation(list_all, everything),
    "DeleteOpenIDConnectProvider": ApiOperation(delete, _arn),
    "AddClientIDToOpenIDConnectProvider": ApiOperation(add_client, _arn),
    "RemoveClientIDFromOpenIDConnectProvider": ApiOperation(remove_client, _arn),
    "UpdateOpenIDConnectProviderThumbprint": ApiOperation(update_thumbprints, _arn),
    "ListOpenIDConnectProviderTags": ApiOperation(list_tags, _arn),
}
