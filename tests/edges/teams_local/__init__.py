"""What Teams' tests share: Microsoft's side on this machine, and the bot behind its real aiohttp route."""
