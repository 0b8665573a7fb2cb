// The thread beside the channel: the message it hangs from, the answers, a composer of its own.

import { channelPath } from "./api.js";
import { Composer } from "./composer.js";
import { h, iconButton } from "./dom.js";
import { closeThread } from "./navigation.js";
import { on, openChannel, placeKey, state } from "./state.js";
import { Timeline } from "./timeline.js";

const pane = document.getElementById("thread");
const header = document.getElementById("thread-header");
const slot = document.getElementById("composer-slot-thread");

function source() {
  return {
    channel: state.channel,
    list: state.replies,
    path: state.root ? channelPath(state.channel, `/threads/${state.root.id}`) : "",
    root: state.root,
    readOnly: !openChannel()?.joined,
    beginning: null,
    place: state.root && placeKey(state.channel, state.root.id),
    busy: state.root && state.busy.get(placeKey(state.channel, state.root.id)) ? `${state.bot.name} is on it` : null,
  };
}

export function startThread() {
  const timeline = new Timeline(document.getElementById("timeline-thread"), source, { inThread: true });
  let composer = null;

  function draw(detail = {}) {
    const { root } = state;
    const channel = openChannel();
    pane.hidden = !root || !channel;
    if (pane.hidden) {
      composer = null;
      return;
    }
    const back = iconButton("back", "Back to the channel", closeThread);
    back.classList.add("to-list");
    const close = iconButton("close", "Close the thread (Esc)", closeThread);
    const where = h("span.topic", { dir: "auto" }, channel.direct ? state.bot.name : `#${channel.name}`);
    if (header.dataset.root !== root.id || !header.childElementCount) {
      header.dataset.root = root.id;
      header.replaceChildren(back, h("h2.pane-title", {}, "Thread"), where, close);
    }
    const place = `${root.id}.${channel.joined}`;
    if (composer?.place !== place) {
      slot.replaceChildren();
      const { id, direct, joined } = channel;
      composer = joined
        ? new Composer(slot, { where: "thread", channel: id, thread: root.id, name: "this thread", direct })
        : {};
      composer.place = place;
    }
    timeline.draw(detail);
  }

  on("open", () => draw({ fresh: true }));
  on("messages", (detail) => state.root && draw(detail ?? {}));
  on("channels", () => state.root && draw());
}
