"""The edges: each adapter translates one chat platform to and from the neutral port in `bot.ports`; none decides."""
