"""What every activity teaches: how conversations are reached, and under which accounts people are known there.

Kept sealed, under keyed hashes. A service URL comes in here only from an activity whose token vouched for it.
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.inbox import Sealer
from adapters.teams.schema import references

PERSONAL, GROUP, CHANNEL = "personal", "groupChat", "channel"
_ANY = ""  # the conversation that stands for a whole tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A chat or a channel (without a thread), and how it is reached. `kind` is Teams' conversation type."""

    id: str
    kind: str
    service_url: str
    bot: str
    bot_name: str = ""
    team: str = ""
    team_group: str = ""  # the team's id in Entra
    team_name: str = ""
    name: str = ""
    channel_kind: str = ""  # "standard" (everybody in the team is in it), "private" or "shared", once Teams has said so
    gone: bool = False

    @property
    def of_all(self) -> bool:
        """Whether everybody in the team is certainly in this channel."""
        return self.channel_kind == "standard" or (self.kind == CHANNEL and self.id == self.team)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person's account: `id` as the Connector knows it, where they were seen, and their chat with the bot."""

    id: str
    seen_in: str = ""
    personal: str = ""
    time_zone: str = ""


Kept = TypeVar("Kept", Conversation, Account)


class References:
    """Conversations and accounts, on an engine that somebody else owns."""

    def __init__(self, engine: AsyncEngine, seal: Sealer) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reading=True)
        self._insert: Any = sqlite_insert if engine.dialect.name == "sqlite" else postgresql_insert
        self._seal = seal

    async def conversation(self, tenant: str, conversation: str) -> Conversation | None:
        """What is known of this conversation."""
        return await self._get(Conversation, self._conversation_mark(tenant, conversation))

    async def anywhere(self, tenant: str) -> Conversation | None:
        """The latest way to reach anything in this tenant."""
        return await self.conversation(tenant, _ANY)

    async def channels_of(self, tenant: str, team: str) -> list[Conversation]:
        """The channels of a team that are known."""
        family = self._seal.mark(f"teams/team/{tenant}/{team}")
        asked = select(references.c.sealed).where(references.c.family == family)
        async with self._reading.connect() as connection:
            rows = list(await connection.scalars(asked))
        return [Conversation(**json.loads(self._seal.open(row))) for row in rows]

    async def account(self, tenant: str, person: str) -> Account | None:
        """What is known of this person's account."""
        return await self._get(Account, self._person_mark(tenant, person))

    async def learn(self, tenant: str, conversation: Conversation) -> None:
        """Keep a conversation. What this time is not said of it stays as it was."""
        known = await self.conversation(tenant, conversation.id)
        said = {name: value for name, value in asdict(conversation).items() if value != ""}
        learnt = replace(known, **said) if known else conversation
        if learnt != known:
            await self._keep(tenant, learnt)
        service_url, bot, bot_name = learnt.service_url, learnt.bot, learnt.bot_name
        somewhere = Conversation(id=_ANY, kind="", service_url=service_url, bot=bot, bot_name=bot_name)
        if somewhere != await self.anywhere(tenant):
            await self._keep(tenant, somewhere)

    async def name(self, tenant: str, conversation: str, **names: Any) -> None:
        """Keep what a channel and its team are called."""
        known = await self.conversation(tenant, conversation)
        if known is not None and replace(known, **names) != known:
            await self._keep(tenant, replace(known, **names))

    async def learn_account(self, tenant: str, person: str, account: Account) -> None:
        """Keep an account. What this time is not said of it stays as it was."""
        known = await self.account(tenant, person)
        said = {name: value for name, value in asdict(account).items() if value}
        learnt = replace(known, **said) if known else account
        if learnt != known:
            await self._put({self._person_mark(tenant, person): learnt})

    async def meet(self, tenant: str, accounts: Iterable[tuple[str, Account]]) -> None:
        """Keep accounts of people seen for the first time, in one go."""
        await self._put({self._person_mark(tenant, person): one for person, one in accounts}, only_new=True)

    async def forget_chat(self, tenant: str, person: str) -> None:
        """The chat with this person is gone: the next message to them opens one anew."""
        known = await self.account(tenant, person)
        if known is not None:
            await self._put({self._person_mark(tenant, person): replace(known, personal="")})

    async def lose(self, tenant: str, conversation: str) -> None:
        """The bot was taken out of this conversation, and of every channel of its team."""
        known = await self.conversation(tenant, conversation)
        if known is None:
            return
        for one in await self.channels_of(tenant, known.team) if known.team else [known]:
            await self._keep(tenant, replace(one, gone=True))

    async def forget(self, tenant: str, conversation: str) -> None:
        """Keep nothing of this conversation."""
        mark = self._conversation_mark(tenant, conversation)
        async with self._engine.begin() as connection:
            await connection.execute(delete(references).where(references.c.mark == mark))

    # --- rows -------------------------------------------------------------------------------------------------------

    async def _get(self, kind: type[Kept], mark: str) -> Kept | None:
        async with self._reading.connect() as connection:
            sealed = await connection.scalar(select(references.c.sealed).where(references.c.mark == mark))
        return None if sealed is None else kind(**json.loads(self._seal.open(sealed)))

    async def _keep(self, tenant: str, conversation: Conversation) -> None:
        family = self._seal.mark(f"teams/team/{tenant}/{conversation.team}") if conversation.team else ""
        await self._put({self._conversation_mark(tenant, conversation.id): conversation}, family)

    async def _put(
        self, kept: dict[str, Conversation] | dict[str, Account], family: str = "", *, only_new: bool = False
    ) -> None:
        told = {mark: self._seal.seal(json.dumps(asdict(one))) for mark, one in kept.items()}
        rows = [{"mark": mark, "family": family, "sealed": sealed} for mark, sealed in told.items()]
        for at in range(0, len(rows), 500):
            insert = self._insert(references).values(rows[at : at + 500])
            taken = {"sealed": insert.excluded.sealed, "family": insert.excluded.family}
            if only_new:
                insert = insert.on_conflict_do_nothing(index_elements=["mark"])
            else:
                insert = insert.on_conflict_do_update(index_elements=["mark"], set_=taken)
            async with self._engine.begin() as connection:
                await connection.execute(insert)

    def _conversation_mark(self, tenant: str, conversation: str) -> str:
        return self._seal.mark(f"teams/conversation/{tenant}/{conversation}")

    def _person_mark(self, tenant: str, person: str) -> str:
        return self._seal.mark(f"teams/person/{tenant}/{person}")
