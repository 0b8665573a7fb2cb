// Dialogs: opening, closing, giving the focus back; "are you sure"; who is in a channel.

import { channelPath, get } from "./api.js";
import { avatar, botTag, h, iconButton, toast } from "./dom.js";

let titles = 0;

/**
 * A modal dialog with a title. Escape closes it; the focus goes back to where it was. `content(close, leave)`: `leave`
 * is what Escape does, and asks `mayLeave` first.
 */
export function openDialog(title, content, { small = false, onclose = () => {}, mayLeave = () => true } = {}) {
  const before = document.activeElement;
  const id = `dialog-title-${(titles += 1)}`;
  const close = () => dialog.close();
  const leave = async () => {
    if (await mayLeave()) close();
  };
  const heading = h("h2", { id, dir: "auto" }, title);
  const head = h("header.dialog-header", {}, heading, iconButton("close", "Close (Esc)", leave));
  const dialog = h("dialog", { "aria-labelledby": id }, head, ...content(close, leave));
  dialog.classList.toggle("small", small);
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    leave();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    onclose();
    if (before?.isConnected) before.focus({ preventScroll: true });
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

export function confirmThat(title, words, label) {
  return new Promise((resolve) => {
    let sure = false;
    const dialog = openDialog(
      title,
      (close) => [
        h("div.dialog-body", {}, h("p", {}, words)),
        h(
          "footer.dialog-footer",
          {},
          h("button.button", { type: "button", onclick: close }, "Cancel"),
          h(
            "button.button.danger",
            {
              type: "button",
              onclick: () => {
                sure = true;
                close();
              },
            },
            label,
          ),
        ),
      ],
      { small: true, onclose: () => resolve(sure) },
    );
    dialog.querySelector(".dialog-footer .button").focus();
  });
}

export async function showPeople(channel) {
  try {
    const { people } = await get(channelPath(channel.id, "/members"));
    const rows = people.map((person) =>
      h(
        "li.person-row",
        {},
        avatar(person),
        h("span.who", {}, h("bdi.name", {}, person.name), h("span.title", { dir: "auto" }, person.title)),
        person.bot && botTag(),
      ),
    );
    const list = rows.length ? h("ul.person-list", {}, ...rows) : h("p", {}, "Nobody is here yet.");
    openDialog(`Members of ${channel.name}`, () => [h("div.dialog-body", {}, list)]);
  } catch (error) {
    toast(error.message, { icon: "warning" });
  }
}
