"""The issuer that the settings name, if they name one."""

from web.access.issuer.contract import NoIssuer, TokenIssuer
from web.access.issuer.terms import Terms
from web.services import Clocks
from web.settings import Settings


def open_issuer(settings: Settings, clocks: Clocks) -> TokenIssuer:
    """Return the issuer whose tokens let in; its keys are fetched with the first of them."""
    if settings.jwt_issuer is None:
        return NoIssuer()
    from stream.address.reachable import read_networks
    from web.access.issuer.fetch import KeyFetcher  # late: it needs an extra
    from web.access.issuer.issuer import Issuer
    from web.access.issuer.keys import KeySet

    terms = Terms(
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        algorithms=settings.jwt_algorithms,
        roles_claim=settings.jwt_roles_claim,
        roles=settings.jwt_roles,
        streams_claim=settings.jwt_streams_claim,
    )
    url = settings.jwt_keys or f"{settings.jwt_issuer.rstrip('/')}/.well-known/jwks.json"
    fetcher = KeyFetcher(url, read_networks(settings.allowed_jwt_networks))
    return Issuer(terms, KeySet(fetcher, clocks.monotonic), clocks.wall)
