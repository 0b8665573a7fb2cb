// The quick switcher: type part of a channel's name, Enter goes there.

import { avatar, h, icon, reconcile } from "./dom.js";
import { goTo } from "./navigation.js";
import { newsIn } from "./own.js";
import { shownChannels } from "./sidebar.js";
import { state } from "./state.js";

let open = false;

export function openSwitcher() {
  if (open) return;
  open = true;
  const before = document.activeElement;
  const input = h("input.switcher-input", {
    type: "text",
    role: "combobox",
    placeholder: "Where to?",
    autocomplete: "off",
    "aria-label": "Go to a channel",
    "aria-controls": "switcher-list",
    "aria-expanded": "true",
  });
  const list = h("div.switcher-list", { id: "switcher-list", role: "listbox", "aria-label": "Channels" });
  const dialog = h("dialog.switcher", { "aria-label": "Go to a channel" }, h("div.switcher-head", {}, input), list);
  let found = [];
  let at = 0;

  const go = (channel) => {
    dialog.close();
    goTo(channel.id);
  };
  const draw = () => {
    const words = input.value.trim().toLowerCase();
    found = candidates().filter((channel) => name(channel).toLowerCase().includes(words));
    found.sort((a, b) => name(b).toLowerCase().startsWith(words) - name(a).toLowerCase().startsWith(words));
    at = Math.min(at, Math.max(0, found.length - 1));
    const rows = found.map((channel, index) => row(channel, index, index === at, () => go(channel)));
    reconcile(list, rows.length ? rows : [h("p.nothing", {}, "No channel of that name.")]);
    rows[at]?.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", `switch-${at}`);
  };

  input.addEventListener("input", () => {
    at = 0;
    draw();
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) at = (at + step + found.length) % found.length;
    else if (event.key === "Enter" && found[at]) go(found[at]);
    else return;
    event.preventDefault();
    if (dialog.open) draw();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    open = false;
    dialog.remove();
    if (document.activeElement === document.body) before?.focus?.();
  });
  document.body.append(dialog);
  dialog.showModal();
  draw();
}

const name = (channel) => (channel.direct ? state.bot.name : channel.name);

/** What is new comes first, the channel one is in last. */
function candidates() {
  const others = state.channels.filter((channel) => !channel.joined);
  const rank = (channel) => (channel.id === state.channel ? 2 : newsIn(channel) ? 0 : 1);
  return [...shownChannels(), ...others].sort((a, b) => rank(a) - rank(b));
}

function row(channel, index, chosen, onclick) {
  return h(
    "div.suggestion",
    { id: `switch-${index}`, role: "option", "aria-selected": String(chosen), onclick },
    channel.direct ? avatar({ bot: true }, true) : icon(channel.private ? "lock" : "hash"),
    h("bdi.what", {}, name(channel)),
    h("span.why", { dir: "auto" }, channel.topic),
  );
}
