// What one has done oneself is no news: a question that the bot posts for somebody is new to the others only.
// Only this page knows whose it is. Nothing of it may reach the server, not even as a reading mark: it may be anonymous.

import { h } from "./dom.js";
import { readAddress } from "./navigation.js";
import { changed, on } from "./state.js";

/** How long after a press a change of its card is taken for the answer to it. */
const ANSWERED_WITHIN = 30000;
/** So many of the bot's latest messages are remembered: a card that leads to one comes soon after it. */
const REMEMBERED = 50;

const pressed = new Map();
const latest = new Map();
const own = new Map();

export const notePress = (id) => pressed.set(id, Date.now());
export const justPressed = (id) => Date.now() - (pressed.get(id) ?? 0) < ANSWERED_WITHIN;

export const isOwn = (message) => message.mine || own.has(message.id);

/** What is new to this person in a channel: what the server counts, less what they had posted there themselves. */
export function newsIn(channel) {
  const counted = [...own.values()].filter((one) => one.channel === channel.id && one.posted > channel.readUpto);
  return Math.max(0, channel.unread - counted.length);
}

/** A card that one has pressed and that now leads to a message of the bot: that message is one's own doing. */
function arrived(messages) {
  const fromBot = messages.filter((message) => message.author.bot && !message.deleted);
  for (const { id, channel, posted } of fromBot) {
    latest.set(id, { channel, posted });
    if (latest.size > REMEMBERED) latest.delete(latest.keys().next().value);
  }
  const before = own.size;
  for (const card of fromBot.filter((message) => justPressed(message.id))) {
    for (const link of h("template", { html: card.html }).content.querySelectorAll("a[href]")) {
      const id = readAddress(link.href)?.message;
      if (id !== card.id && latest.has(id)) own.set(id, latest.get(id));
    }
  }
  if (own.size > before) changed("channels");
}

export const startOwn = () => on("arrived", arrived);
