// What the page knows: channels, and the messages of the channel and the thread that are open.
// Parts of the page listen for "channels", "messages", "open" and "arrived" (changes, whether or not their channel is
// open); nothing here touches the document.

import { get, channelPath } from "./api.js";

export const state = {
  me: null,
  bot: null,
  organisation: "",
  demo: false,
  channels: [],
  commands: [],
  emoji: {},
  revision: 0,
  /** The open channel's id, its messages by id, and what surrounds them. */
  channel: null,
  main: emptyList(),
  /** The open thread's first message, and its answers. */
  root: null,
  replies: emptyList(),
  /** Requests in flight by place: the bot is busy with them. */
  busy: new Map(),
};

function emptyList() {
  return { messages: new Map(), older: false, newer: false, loaded: false, newAfter: null };
}

const listeners = { channels: [], messages: [], open: [], arrived: [] };
export const on = (what, listener) => listeners[what].push(listener);
export const changed = (what, detail) => listeners[what].forEach((listener) => listener(detail));

export const channelOf = (id) => state.channels.find((channel) => channel.id === id);
export const openChannel = () => channelOf(state.channel);

export async function loadState() {
  Object.assign(state, await get("/api/state"));
  changed("channels");
}

const byTime = (a, b) => a.created.localeCompare(b.created) || Number(a.id) - Number(b.id);
export const inOrder = (list) => [...list.messages.values()].sort(byTime);

/** A message newer than one we have replaces it; an older one (a slow answer) never does. */
function keep(list, message) {
  const known = list.messages.get(message.id);
  if (known && known.revision > message.revision) return;
  if (message.deleted && !message.replies) list.messages.delete(message.id);
  else list.messages.set(message.id, message);
}

export async function showChannel(id, around = null) {
  const list = emptyList();
  list.newAfter = channelOf(id)?.unread ? channelOf(id).readUpto : null;
  state.channel = id;
  state.main = list;
  changed("open");
  const page = await get(channelPath(id, `/messages${around ? `?around=${around}` : ""}`));
  if (state.main !== list) return false;
  take(list, page);
  list.threadOfFound = page.thread;
  changed("messages", { fresh: true });
  return true;
}

export async function showThread(rootId) {
  if (!rootId) {
    state.root = null;
    changed("open");
    return true;
  }
  const list = emptyList();
  state.root = state.main.messages.get(rootId) ?? { id: rootId, channel: state.channel };
  state.replies = list;
  changed("open");
  const page = await get(channelPath(state.channel, `/threads/${rootId}`));
  if (state.replies !== list) return false;
  state.root = page.root;
  take(list, page);
  changed("messages", { fresh: true });
  return true;
}

export async function loadOlder(list, path) {
  const first = inOrder(list)[0];
  if (!first || !list.older) return;
  const page = await get(`${path}?before=${first.id}`);
  take(list, { ...page, newer: list.newer });
  changed("messages", {});
}

function take(list, page) {
  page.messages.forEach((message) => keep(list, message));
  list.older = page.older;
  list.newer = page.newer ?? false;
  list.loaded = true;
}

/** Messages from the stream or from an answer to a request; whatever is open takes what belongs to it. */
export function receive(messages) {
  changed("arrived", messages);
  if (messages.some((message) => message.author.bot)) {
    spoken += 1;
    [...waiting].forEach((end) => end());
  }
  const news = [];
  for (const message of messages) {
    const open = message.channel === state.channel;
    if (open && !message.thread) {
      if (!state.main.loaded) continue;
      if (!message.deleted && !state.main.messages.has(message.id)) news.push(message);
      // A gap before the present must not be bridged: the newest come when the reader jumps there.
      if (!state.main.newer || state.main.messages.has(message.id)) keep(state.main, message);
    }
    if (state.root?.id === message.id) {
      if (message.revision >= (state.root.revision ?? 0)) state.root = message;
    } else if (open && state.root && message.thread === state.root.id) {
      if (!message.deleted && !state.replies.messages.has(message.id)) news.push(message);
      keep(state.replies, message);
    }
  }
  changed("messages", { news });
}

export function receiveChannels(channels) {
  state.channels = channels;
  changed("channels");
}

/** How long after an accepted request the bot is still shown to be at it, if nothing comes from it. */
const PATIENCE = 4000;
let spoken = 0;
const waiting = new Set();

/**
 * While `work` runs, and until the bot then says or changes something, the place shows that the bot is at it.
 * `follow`: what comes is an answer to what was just typed there, and is brought into sight.
 */
export async function whileBusy(place, work, { follow = false } = {}) {
  const add = (count) => {
    state.busy.set(place, (state.busy.get(place) ?? 0) + count);
    changed("messages", follow && count > 0 ? { follow: place } : {});
  };
  const before = spoken;
  let open = false;
  add(1);
  try {
    const answer = await work();
    // The answer may be on its way through the bot's queue; a form is an answer already.
    open = spoken === before && !answer.form;
    return answer;
  } finally {
    if (open) linger(() => add(-1));
    else add(-1);
  }
}

function linger(end) {
  const once = () => {
    clearTimeout(timer);
    if (waiting.delete(once)) end();
  };
  const timer = setTimeout(once, PATIENCE);
  waiting.add(once);
}

export const placeKey = (channel, thread) => `${channel}/${thread ?? ""}`;

/** Storage may be full or switched off: then things are simply not remembered. */
export const memory = {
  get(key) {
    try {
      return localStorage.getItem(`weaver:${key}`);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      if (value === null || value === "") localStorage.removeItem(`weaver:${key}`);
      else localStorage.setItem(`weaver:${key}`, value);
    } catch {
      // Not remembered.
    }
  },
};
