// One message as an element: who, when, what, reactions, the thread that hangs from it.

import { messagePath, newKey, pagePath, post } from "./api.js";
import { avatar, botTag, h, icon, toast } from "./dom.js";
import { openEmoji } from "./menu.js";
import { openThread } from "./navigation.js";
import { channelOf, receive, state } from "./state.js";
import { ago, clockTime, fullTime } from "./time.js";

/** Said to one person among others. In the talk with the bot everything is: there it is not worth a word. */
export const isWhisper = (message) => message.private && !channelOf(message.channel)?.direct;

export function messageElement(message, { grouped, inThread }) {
  const time = new Date(message.created);
  const stamp = h(
    "a.stamp",
    { href: pagePath(message.channel, message.id), title: fullTime(time), tabindex: "-1" },
    h("time", { datetime: message.created }, clockTime(time)),
  );
  const article = h(
    "article.message",
    { tabindex: "-1", "data-id": message.id, "aria-label": `${message.author.name}, ${clockTime(time)}` },
    h("div.gutter", {}, grouped ? h("time", { "aria-hidden": "true" }, clockTime(time)) : avatar(message.author)),
    h(
      "div.content",
      {},
      !grouped &&
        h(
          "div.byline",
          {},
          h("bdi.name", {}, message.author.name),
          message.author.bot && botTag(),
          stamp,
          message.author.title && h("span.title", { dir: "auto" }, message.author.title),
        ),
      isWhisper(message) && h("p.only-you", {}, icon("eye"), "Only visible to you"),
      ...words(message),
      reactions(message),
      !inThread && threadLine(message),
    ),
  );
  article.classList.toggle("grouped", grouped);
  article.classList.toggle("private", isWhisper(message));
  return article;
}

function words(message) {
  if (message.deleted) return [h("p.gone", {}, "This message was deleted.")];
  const shown = h("div.said", { html: message.html });
  const edited = message.edited && !message.author.bot ? h("span.edited", {}, "(edited)") : null;
  return [shown, edited];
}

function reactions(message) {
  if (!message.reactions.length) return null;
  const chips = message.reactions.map((reaction) => {
    const name = reaction.emoji.replaceAll("_", " ");
    const who = reaction.names.join(", ");
    return h(
      "button.chip",
      {
        type: "button",
        "aria-pressed": String(reaction.mine),
        "aria-label": `${name}: ${reaction.count}, ${who}`,
        title: `${who}: ${name}`,
        onclick: () => react(message, reaction.emoji, !reaction.mine),
      },
      h("span.glyph", { "aria-hidden": "true" }, state.emoji[reaction.emoji] ?? reaction.emoji),
      String(reaction.count),
    );
  });
  const label = "Add a reaction";
  const add = h("button.chip.add", { type: "button", "aria-label": label, title: label }, icon("react"));
  add.addEventListener("click", () => openEmoji(add, (emoji) => react(message, emoji, true)));
  return h("div.chips", {}, ...chips, add);
}

function threadLine(message) {
  if (!message.replies) return null;
  const { count, last, people } = message.replies;
  return h(
    "button.replies",
    { type: "button", onclick: () => openThread(message.id) },
    h("span.faces", {}, ...people.map((person) => avatar(person, true))),
    h("span.count", {}, count === 1 ? "1 reply" : `${count} replies`),
    h("span.last", {}, `last reply ${ago(new Date(last))}`),
  );
}

export async function react(message, emoji, added) {
  try {
    const answer = await post(messagePath(message.id, "react"), { key: newKey(), emoji, added });
    if (answer.message) receive([answer.message]);
  } catch (error) {
    toast(error.message, { icon: "warning" });
  }
}
