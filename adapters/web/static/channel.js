// The main pane: header, messages, composer of the open channel.

import { channelPath, newKey, post } from "./api.js";
import { Composer } from "./composer.js";
import { showPeople, confirmThat } from "./dialog.js";
import { announce, h, icon, iconButton, toast } from "./dom.js";
import { showPane } from "./navigation.js";
import { on, openChannel, placeKey, state, whileBusy } from "./state.js";
import { Timeline } from "./timeline.js";

const header = document.getElementById("channel-header");
const slot = document.getElementById("composer-slot-main");
let timeline;
let composer;

function source() {
  const channel = openChannel();
  return {
    channel: state.channel,
    list: state.main,
    path: channelPath(state.channel, "/messages"),
    root: null,
    readOnly: !channel?.joined,
    beginning: channel && { key: `${channel.id}.${channel.topic}`, make: () => beginning(channel) },
    place: placeKey(state.channel, null),
    busy: state.busy.get(placeKey(state.channel, null)) ? `${state.bot.name} is on it` : null,
  };
}

let headerShown = "";

function drawHeader() {
  const channel = openChannel();
  if (!channel) return;
  // Drawn anew only when something in it has changed: a focus in it would be lost.
  const { id, name, topic, people, joined } = channel;
  const signature = JSON.stringify([id, name, topic, people, joined]);
  if (signature === headerShown) return;
  headerShown = signature;
  const back = iconButton("back", "Back to the channels", () => showPane("list"));
  back.classList.add("to-list");
  const title = h(
    "h2.pane-title",
    {},
    channel.direct ? null : icon(channel.private ? "lock" : "hash"),
    h("bdi.label", {}, channel.direct ? state.bot.name : channel.name),
  );
  header.replaceChildren(back, title);
  if (channel.direct) {
    title.append(h("span.bot-tag", {}, "Bot"));
    header.append(h("span.spacer"), quiet("home", "My overview", openHome));
    return;
  }
  header.append(channel.topic ? h("p.topic", { dir: "auto", title: channel.topic }, channel.topic) : h("span.spacer"));
  const noun = channel.people === 1 ? "member" : "members";
  const members = quiet("people", String(channel.people), () => showPeople(channel));
  members.setAttribute("aria-label", `${channel.people} ${noun}`);
  members.append(h("span.noun", {}, noun));
  header.append(members);
  if (channel.joined) {
    const leave = iconButton("leave", `Leave #${channel.name}`, () => leaveChannel(channel));
    header.append(leave);
  } else header.append(h("button.button.primary", { type: "button", onclick: () => joinChannel(channel) }, "Join"));
}

const quiet = (name, label, onclick) => h("button.quiet-button", { type: "button", onclick }, icon(name), label);

function drawComposer() {
  const channel = openChannel();
  if (!channel) return;
  if (!channel.joined) {
    composer = null;
    const words = h("span", {}, "You are looking at ", h("bdi", {}, `#${channel.name}`), " from outside.");
    const join = h("button.button.primary", { type: "button", onclick: () => joinChannel(channel) }, "Join to write");
    slot.replaceChildren(h("div.join-bar", {}, words, join));
  } else if (composer?.channel !== channel.id) {
    const { id, direct } = channel;
    const name = direct ? state.bot.name : `#${channel.name}`;
    composer = new Composer(slot, { where: "main", channel: id, thread: null, name, direct });
  }
}

function beginning(channel) {
  if (!channel.direct) {
    return h(
      "div.beginning",
      {},
      h("div.badge-icon", {}, icon(channel.private ? "lock" : "hash")),
      h("h2", {}, "This is where ", h("bdi", {}, `#${channel.name}`), " begins"),
      h("p", {}, channel.topic ? h("bdi", {}, channel.topic) : "Say what brought you here."),
      channel.private && h("p", {}, "Only its members see what is said here."),
      h("p", {}, `Have a question? Write “@${state.bot.name}” and ask it.`),
    );
  }
  return h(
    "div.beginning",
    {},
    h("div.badge-icon", {}, icon("mark")),
    h("h2", {}, "Hello, ", h("bdi", {}, state.me.name)),
    h(
      "p",
      {},
      `I am ${state.bot.name}. Ask me something, and I look for what colleagues have already worked out, `,
      "or find the people who know. What you write here is between you and me.",
    ),
    h(
      "div.starters",
      {},
      h("button.button", { type: "button", onclick: () => composer?.fill("/ask ") }, "Ask a question"),
      h("button.button", { type: "button", onclick: () => composer?.fill("/experts ") }, "Find who knows about…"),
      h("button.button", { type: "button", onclick: openHome }, "See my overview"),
    ),
  );
}

async function act(work) {
  try {
    return await work();
  } catch (error) {
    toast(error.message, { icon: "warning" });
    return null;
  }
}

function openHome() {
  act(() => whileBusy(placeKey(state.channel, null), () => post("/api/home", { key: newKey() }), { follow: true }));
}

async function joinChannel(channel) {
  const done = await act(() => post(channelPath(channel.id, "/join"), { key: newKey() }));
  if (done) announce(`You have joined ${channel.name}`);
}

async function leaveChannel(channel) {
  const words = channel.private
    ? "It is private: you will not see it any more, and only a member can bring you back."
    : "You can come back at any time.";
  if (!(await confirmThat(`Leave #${channel.name}?`, words, "Leave"))) return;
  await act(() => post(channelPath(channel.id, "/leave"), { key: newKey() }));
}

/** Seen is what is on the screen of somebody who is there. */
let seenTimer = 0;
let seen = "";
function markRead() {
  clearTimeout(seenTimer);
  const channel = openChannel();
  if (!channel?.joined || !channel.unread || document.visibilityState !== "visible" || !state.main.loaded) return;
  const mark = `${channel.id}.${state.revision}`;
  if (mark === seen) return;
  seenTimer = setTimeout(() => {
    seen = mark;
    post(channelPath(channel.id, "/read"), { upto: state.revision }).catch(() => {
      seen = "";
    });
  }, 600);
}

export function startChannel() {
  timeline = new Timeline(document.getElementById("timeline-main"), source, { inThread: false });
  on("open", () => {
    drawHeader();
    drawComposer();
    timeline.draw({ fresh: true });
  });
  on("channels", () => {
    drawHeader();
    drawComposer();
    markRead();
  });
  on("messages", (detail) => {
    timeline.draw(detail ?? {});
    markRead();
    for (const message of detail?.news ?? []) {
      if (!message.mine) announce(`${message.author.name}: ${message.text}`);
    }
  });
  document.addEventListener("visibilitychange", markRead);
}

