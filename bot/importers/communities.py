"""Communities named by an import: found by slug, made where they do not exist."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from bot.importers.text import name_of
from bot.models import Community
from bot.store import Transaction


async def known_communities(tx: Transaction, slugs: set[str]) -> dict[str, Community]:
    """Those of these communities that exist, by slug."""
    if not slugs:
        return {}
    found = await tx.all(select(Community).where(Community.slug.in_(sorted(slugs))))
    return {community.slug: community for community in found}


async def needed_communities(tx: Transaction, wanted: Mapping[str, str], *, rule: str) -> dict[str, Community]:
    """The communities by slug, missing ones made with the given domain (`wanted` is slug to domain) and rule."""
    known = await known_communities(tx, set(wanted))
    for slug, domain in wanted.items():
        if slug not in known:
            known[slug] = await tx.add(Community(slug=slug, name=name_of(slug), domain=domain, rule=rule))
    return known
