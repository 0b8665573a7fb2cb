"""The emoji people may react with: the port's plain names and the characters shown for them."""

from __future__ import annotations

EMOJI: dict[str, str] = {
    "thumbsup": "👍",
    "white_check_mark": "✅",
    "heart": "❤️",
    "tada": "🎉",
    "raised_hands": "🙌",
    "pray": "🙏",
    "bulb": "💡",
    "eyes": "👀",
    "clap": "👏",
    "rocket": "🚀",
    "mag": "🔍",
    "star": "⭐",
    "thinking_face": "🤔",
    "smile": "😄",
    "joy": "😂",
    "wave": "👋",
    "seedling": "🌱",
    "hammer_and_wrench": "🛠️",
    "triangular_flag_on_post": "🚩",
    "question": "❓",
    "thumbsdown": "👎",
    "hourglass": "⏳",
    "coffee": "☕",
    "handshake": "🤝",
}
