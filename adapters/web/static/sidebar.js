// The list of channels, and the person's own corner below it.

import { pagePath } from "./api.js";
import { avatar, bdi, botTag, h, icon } from "./dom.js";
import { showHelp } from "./help.js";
import { openMenu } from "./menu.js";
import { goTo } from "./navigation.js";
import { newsIn } from "./own.js";
import { memory, on, state } from "./state.js";

const container = document.getElementById("channels");
const corner = document.getElementById("me");

/** What is before one's eyes is not new. */
const unreadIn = (channel) =>
  channel.id === state.channel && document.visibilityState === "visible" ? 0 : newsIn(channel);

function channelLink(channel) {
  const current = channel.id === state.channel;
  const unread = unreadIn(channel);
  const link = h(
    "a.channel",
    {
      href: pagePath(channel.id),
      "aria-current": current ? "page" : null,
      onclick: (event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        goTo(channel.id);
      },
    },
    channel.direct ? avatar({ bot: true }, true) : icon(channel.private ? "lock" : "hash"),
    h("span.label", {}, bdi(channel.direct ? state.bot.name : channel.name)),
    channel.direct && botTag(),
    channel.private && !channel.direct && h("span.unseen", {}, "private"),
    unread > 0 && h("span.badge", {}, unread > 99 ? "99+" : String(unread), h("span.unseen", {}, " new")),
  );
  link.classList.toggle("news", unread > 0);
  return link;
}

/** Channels in the order in which they are shown: what Alt+arrow and the switcher go by. */
export const shownChannels = () => [
  ...state.channels.filter((channel) => channel.direct),
  ...state.channels.filter((channel) => channel.joined && !channel.direct),
];

let shown = "";

function draw() {
  const signature = JSON.stringify([state.channels, state.channel, state.channels.map(unreadIn)]);
  if (signature === shown) return;
  shown = signature;
  const joined = state.channels.filter((channel) => channel.joined && !channel.direct);
  const others = state.channels.filter((channel) => !channel.joined);
  const open = container.querySelector("details")?.open ?? others.some((channel) => channel.id === state.channel);
  const focused = document.activeElement?.closest?.("a.channel")?.getAttribute("href");
  container.replaceChildren(
    h("h2", {}, "Direct message"),
    ...state.channels.filter((channel) => channel.direct).map(channelLink),
    h("h2", {}, "Channels"),
    ...joined.map(channelLink),
    joined.length === 0 && others.length === 0 ? h("p.nothing", {}, "You are in no channel yet.") : "",
    others.length
      ? h("details", { open }, h("summary", {}, `More channels (${others.length})`), ...others.map(channelLink))
      : "",
  );
  if (focused) container.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  title();
}

function title() {
  const unread = state.channels.reduce((sum, channel) => sum + unreadIn(channel), 0);
  const channel = state.channels.find((one) => one.id === state.channel);
  const place = channel ? (channel.direct ? state.bot.name : `#${channel.name}`) : state.bot.name;
  document.title = `${unread ? `(${unread}) ` : ""}${place} · ${state.organisation}`;
}

function drawCorner() {
  const button = h(
    "button.me-button",
    { type: "button", "aria-haspopup": "menu", "aria-label": `${state.me.name}: your menu` },
    avatar(state.me),
    h(
      "span.who",
      {},
      h("span.name", { dir: "auto" }, state.me.name),
      h("span.role", { dir: "auto" }, state.me.role || state.me.title),
    ),
    icon("switch"),
  );
  button.addEventListener("click", () => openMenu(button, menuItems()));
  corner.replaceChildren(button);
}

function menuItems() {
  const theme = memory.get("theme") ?? "auto";
  const next = encodeURIComponent(location.pathname);
  const themes = { auto: "Same as system", light: "Light", dark: "Dark" };
  return [
    state.demo && { icon: "people", label: "Switch person", href: `/people?next=${next}` },
    { icon: "keyboard", label: "Keyboard help", act: showHelp },
    "-",
    { heading: "Appearance" },
    ...Object.entries(themes).map(([value, label]) => ({
      icon: "theme",
      label,
      ticked: theme === value,
      act: () => setTheme(value),
    })),
    "-",
    { icon: "leave", label: "Sign out", act: signOut },
  ].filter(Boolean);
}

function setTheme(theme) {
  memory.set("theme", theme === "auto" ? null : theme);
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function signOut() {
  const form = h("form", { method: "post", action: "/signout" });
  document.body.append(form);
  form.submit();
}

export function startSidebar() {
  on("channels", draw);
  on("open", draw);
  document.addEventListener("visibilitychange", () => state.me && draw());
  drawCorner();
  draw();
}
