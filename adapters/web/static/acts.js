// The floating row of actions on a message, editing in place, and pressing the buttons of a card.

import { messagePath, newKey, pagePath, post } from "./api.js";
import { confirmThat } from "./dialog.js";
import { announce, h, iconButton, toast } from "./dom.js";
import { openForm } from "./form.js";
import { openEmoji } from "./menu.js";
import { react } from "./message.js";
import { openThread } from "./navigation.js";
import { notePress } from "./own.js";
import { placeKey, receive, whileBusy } from "./state.js";

/** One row for all messages: it moves to the one under the pointer or with the focus. */
const row = h("div.actions", { role: "toolbar", "aria-label": "Actions on this message" });

export function offerActions(article, message, { inThread, readOnly }) {
  if (row.parentElement === article || article.querySelector(".editor") || message.deleted) return;
  const emoji = iconButton("react", "Add a reaction", () => openEmoji(emoji, (name) => react(message, name, true)));
  row.replaceChildren(emoji);
  if (!inThread && !message.private) row.append(iconButton("reply", "Reply in thread", () => openThread(message.id)));
  row.append(iconButton("link", "Copy link", () => copyLink(message)));
  if (message.mine && !readOnly) {
    row.append(iconButton("pencil", "Edit", () => edit(article, message)));
    const bin = iconButton("trash", "Delete", () => remove(message));
    bin.classList.add("danger");
    row.append(bin);
  }
  article.append(row);
}

export const hideActions = () => row.remove();

async function copyLink(message) {
  const address = new URL(pagePath(message.channel, message.id), location.href).href;
  try {
    await navigator.clipboard.writeText(address);
    toast("Link copied");
  } catch {
    toast(address);
  }
}

async function remove(message) {
  const words = "It disappears for everybody. This cannot be undone.";
  const sure = await confirmThat("Delete this message?", words, "Delete");
  if (!sure) return;
  try {
    await post(messagePath(message.id, "delete"));
  } catch (error) {
    toast(error.message, { icon: "warning" });
  }
}

export function edit(article, message) {
  hideActions();
  const said = article.querySelector(".said");
  const input = h("textarea", { rows: "3", "aria-label": "Edit your message", maxLength: 40000, value: message.text });
  const save = h("button.button.primary", { type: "submit" }, "Save");
  const close = () => {
    editor.replaceWith(said);
    article.focus();
  };
  const key = newKey();
  const editor = h(
    "form.editor",
    {
      onsubmit: async (event) => {
        event.preventDefault();
        save.setAttribute("aria-disabled", "true");
        try {
          const answer = await post(messagePath(message.id, "edit"), { key, text: input.value });
          close();
          receive([answer.message]);
        } catch (error) {
          save.removeAttribute("aria-disabled");
          toast(error.message, { icon: "warning" });
        }
      },
      onkeydown: (event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          close();
        } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
          event.preventDefault();
          editor.requestSubmit();
        }
      },
    },
    input,
    h("div.buttons", {}, h("button.button", { type: "button", onclick: close }, "Cancel"), save),
  );
  said.replaceWith(editor);
  input.style.height = `${Math.min(input.scrollHeight + 4, 320)}px`;
  input.focus();
}

/** For so long a button shows that its press has arrived. */
const DONE_SHOWN = 2500;
const done = new Map();
const doneKey = (button, id) => `${id}.${button.dataset.action}.${button.dataset.value ?? ""}`;

/** The tick on what was pressed a moment ago: the card may have been drawn anew since. */
export function showDone(article, id) {
  for (const button of article?.querySelectorAll("button[data-action]") ?? []) {
    const left = (done.get(doneKey(button, id)) ?? 0) - Date.now();
    if (left <= 0) continue;
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), left);
  }
}

/** A button of a card. Its key stays the same until an answer came: pressing again after a failure acts once. */
export async function press(button, message) {
  if (button.getAttribute("aria-disabled") === "true") return;
  const all = button.closest(".card, .words").querySelectorAll("button.button");
  all.forEach((one) => one.setAttribute("aria-disabled", "true"));
  button.classList.add("busy");
  button.dataset.key ||= newKey();
  const { action, value, key } = button.dataset;
  notePress(message.id);
  try {
    const place = placeKey(message.channel, message.thread);
    const data = { key, action, value: value ?? "" };
    const answer = await whileBusy(place, () => post(messagePath(message.id, "press"), data));
    delete button.dataset.key;
    if (answer.form) openForm(answer.form);
    else {
      done.set(doneKey(button, message.id), Date.now() + DONE_SHOWN);
      announce(`${button.textContent}: done`);
    }
  } catch (error) {
    if (error.status && error.status < 500) delete button.dataset.key;
    toast(error.message, { icon: "warning" });
  } finally {
    button.classList.remove("busy");
    all.forEach((one) => one.removeAttribute("aria-disabled"));
    document.querySelectorAll(`[data-id="${message.id}"]`).forEach((article) => showDone(article, message.id));
  }
}
