"""Tokens that somebody else issued: JSON Web Tokens of a trusted issuer (OpenID Connect and the like)."""
