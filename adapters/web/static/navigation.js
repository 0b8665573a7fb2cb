// Which channel and thread are open, and the address that says so.

import { pagePath } from "./api.js";
import { announce, toast } from "./dom.js";
import { channelOf, changed, memory, showChannel, showThread, state } from "./state.js";

/** On a phone, one pane at a time. */
export function showPane(pane) {
  document.body.dataset.pane = pane;
}

/** Open a channel; with a message, around it, in its thread if it is in one. */
export async function goTo(channel, message = null, { push = true } = {}) {
  if (!channelOf(channel)) {
    toast("This channel is not here any more, or not for you to see.", { icon: "warning" });
    return;
  }
  if (push && location.pathname !== pagePath(channel, message ?? "")) {
    history.pushState(null, "", pagePath(channel, message ?? ""));
  }
  memory.set(`last:${state.me.id}`, channel);
  showPane("channel");
  state.root = null;
  try {
    if (!(await showChannel(channel, message))) return;
    if (message) await reveal(message);
    else focusComposer("main");
  } catch (error) {
    toast(error.message, { icon: "warning" });
  }
}

async function reveal(message) {
  const root = state.main.threadOfFound;
  changed("messages", { reveal: root ?? message, quietly: Boolean(root) });
  if (root) await openThread(root, message);
  else if (state.main.messages.get(message)?.replies) await openThread(message); // its answers are what one comes for
}

export async function openThread(root, message = null) {
  showPane("thread");
  try {
    if (!(await showThread(root))) return;
    if (message) changed("messages", { reveal: message });
    else focusComposer("thread");
    announce("Thread opened");
  } catch (error) {
    closeThread();
    toast(error.message, { icon: "warning" });
  }
}

export function closeThread() {
  const root = state.root?.id;
  if (!root) return;
  showThread(null);
  showPane("channel");
  // Back to where the thread was opened from.
  (document.querySelector(`#timeline-main [data-id="${root}"] .replies`) ??
    document.querySelector(`#timeline-main [data-id="${root}"]`))?.focus({ preventScroll: true });
}

export function focusComposer(where) {
  // On a touch screen this would push the keyboard over what one came to read.
  if (matchMedia("(hover: none)").matches) return;
  document.getElementById(`composer-${where}`)?.focus({ preventScroll: true });
}

/** The channel and message of an address of this chat, or null. */
export function readAddress(url) {
  const address = new URL(url, location.href);
  const found = /^\/c\/([^/]+)(?:\/([^/]+))?$/.exec(address.pathname);
  if (address.origin !== location.origin || !found) return null;
  return { channel: decodeURIComponent(found[1]), message: found[2] ? decodeURIComponent(found[2]) : null };
}
