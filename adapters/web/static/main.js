// Starts the page: state first, then its parts, then the live stream.

import { toast } from "./dom.js";
import { startChannel } from "./channel.js";
import { showHelp } from "./help.js";
import { closeThread, goTo, readAddress, showPane } from "./navigation.js";
import { startOwn } from "./own.js";
import { shownChannels, startSidebar } from "./sidebar.js";
import { channelOf, loadState, memory, on, openChannel, state } from "./state.js";
import { follow } from "./stream.js";
import { openSwitcher } from "./switcher.js";
import { startThread } from "./thread.js";

const phone = matchMedia("(max-width: 760px)");

function home() {
  const last = memory.get(`last:${state.me.id}`);
  return channelOf(last) ? last : shownChannels()[0]?.id;
}

async function openAddress() {
  const address = readAddress(location.href);
  if (address) await goTo(address.channel, address.message, { push: false });
  else {
    await goTo(home(), null, { push: false });
    if (phone.matches) showPane("list");
  }
}

/** The open channel is not this person's to see any more: nothing of it stays on the screen. */
function leaveWhatIsGone() {
  if (!state.channel || openChannel()) return;
  toast("The channel you were in is not here any more, or not for you to see.");
  goTo(home());
}

function step(by) {
  const channels = shownChannels();
  const at = channels.findIndex((channel) => channel.id === state.channel);
  const next = channels[(at + by + channels.length) % channels.length];
  if (next) goTo(next.id);
}

function keyed(event) {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (document.querySelector("dialog[open]")) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") openSwitcher();
  else if (event.altKey && event.key === "ArrowUp") step(-1);
  else if (event.altKey && event.key === "ArrowDown") step(1);
  else if (event.key === "Escape" && state.root && !event.defaultPrevented) closeThread();
  else if (event.key === "?" && !typing) showHelp();
  else return;
  event.preventDefault();
}

async function start() {
  try {
    await loadState();
  } catch (error) {
    if (error.status === 401 || error.status === 409) location.assign("/");
    else toast(error.message, { icon: "warning" });
    return;
  }
  startOwn();
  startSidebar();
  startChannel();
  startThread();
  on("channels", leaveWhatIsGone);
  document.getElementById("open-switcher").addEventListener("click", openSwitcher);
  document.addEventListener("keydown", keyed);
  addEventListener("popstate", openAddress);
  follow();
  await openAddress();
}

start();
