// Live changes. The server numbers them; after a break we go on from the last number, so nothing is missed.

import { get, me } from "./api.js";
import { receive, receiveChannels, state } from "./state.js";

const banner = document.getElementById("banner");
let source = null;
let bannerTimer = 0;
let wait = 1000;

export function follow() {
  source?.close();
  source = new EventSource(`/api/stream?after=${state.revision}&as=${encodeURIComponent(me)}`);
  source.addEventListener("open", connected);
  source.addEventListener("change", (event) => {
    state.revision = Math.max(state.revision, Number(event.lastEventId));
    const change = JSON.parse(event.data);
    if (change.reload) return location.reload();
    if (change.channels) receiveChannels(change.channels);
    if (change.messages) receive(change.messages);
  });
  source.addEventListener("error", lost);
}

function connected() {
  wait = 1000;
  clearTimeout(bannerTimer);
  bannerTimer = 0;
  banner.hidden = true;
}

function lost() {
  // A blink is not worth a word; the browser tries again by itself.
  bannerTimer ||= setTimeout(() => {
    banner.textContent = "Connection lost. Trying to reconnect…";
    banner.hidden = false;
  }, 1500);
  if (source.readyState === EventSource.CLOSED) {
    source.close();
    setTimeout(retry, wait);
    wait = Math.min(wait * 2, 15000);
  }
}

/** The server refused the stream: find out whether we are still who we were. */
async function retry() {
  try {
    await get("/api/state");
    follow();
  } catch (error) {
    if (error.status === 401 || error.status === 409) location.reload();
    else lost();
  }
}

addEventListener("online", () => source?.readyState === EventSource.CLOSED && follow());
