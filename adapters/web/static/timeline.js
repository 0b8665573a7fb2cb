// A list of messages that keeps itself up to date: in the main pane, and in the thread.

import { edit, hideActions, offerActions, press, showDone } from "./acts.js";
import { h, icon, reconcile, toast } from "./dom.js";
import { isWhisper, messageElement } from "./message.js";
import { goTo, readAddress } from "./navigation.js";
import { isOwn, justPressed } from "./own.js";
import { inOrder, loadOlder } from "./state.js";
import { dayKey, dayName } from "./time.js";

const GROUP_MINUTES = 5;
/** On a touch screen nothing hovers, and what moves between a touch and its click makes the click miss. */
const touch = matchMedia("(hover: none)");

export class Timeline {
  /** `source()` gives {list, path, root, place, beginning, busy, readOnly}: what to show now. */
  constructor(container, source, { inThread }) {
    this.container = container;
    this.source = source;
    this.inThread = inThread;
    this.kept = new Map();
    this.loading = false;
    this.atEnd = true;
    /** The newest message as drawn last, and whether something came below what is in sight. */
    this.newest = "";
    this.below = false;
    container.addEventListener("scroll", () => this.scrolled(), { passive: true });
    container.addEventListener("pointerover", (event) => !touch.matches && this.offer(event));
    container.addEventListener("focusin", (event) => {
      if (!touch.matches || event.target.matches(":focus-visible")) this.offer(event);
    });
    container.addEventListener("pointerleave", () => !container.contains(document.activeElement) && hideActions());
    container.addEventListener("click", (event) => this.clicked(event));
    container.addEventListener("keydown", (event) => this.keyed(event));
    // Pictures come later and push the end away.
    container.addEventListener("load", () => this.atEnd && this.toEnd(), true);
    new ResizeObserver(() => this.atEnd && this.toEnd()).observe(container);
  }

  draw({ fresh = false, reveal = null, quietly = false, news = [], follow = null } = {}) {
    const { list, root, place, beginning, busy } = this.source();
    const here = news.filter((message) => list.messages.has(message.id));
    const answered = follow !== null && follow === place;
    const stay = this.atEnd || fresh || answered || here.some((message) => message.mine);
    this.below = !stay && (this.below || here.length > 0);
    const last = inOrder(list).at(-1);
    const newest = last ? `${last.id}.${last.revision}` : "";
    // Whoever reads on below the beginning of a card that changes is not thrown back to it.
    const known = last && this.find(last.id);
    const readOn = known && known.offsetTop < this.container.scrollTop && !justPressed(last.id);
    const arrived = newest !== this.newest && !readOn ? last : null;
    this.newest = newest;
    const anchor = this.container.querySelector(".message");
    const before = anchor?.getBoundingClientRect().top;
    const held = document.activeElement?.closest?.(".message");
    const heldHere = held && this.container.contains(held) ? held.dataset.id : null;

    const nodes = [];
    if (!list.older && list.loaded && beginning) nodes.push(this.keep("beginning", beginning.key, beginning.make));
    if (root?.author) nodes.push(...this.rootNodes(root, list));
    nodes.push(...this.messageNodes(list, root));
    if (busy) nodes.push(this.keep("busy", busy, () => thinking(busy)));
    if (list.newer) nodes.push(this.keep("jump", "", () => this.jump()));
    else if (this.below) nodes.push(this.keep("below", "", () => this.toNews()));
    reconcile(this.container, nodes);
    const shown = new Set(nodes);
    for (const [key, { node }] of this.kept) if (!shown.has(node)) this.kept.delete(key);

    if (heldHere && !document.activeElement.closest(".message")) this.find(heldHere)?.focus({ preventScroll: true });
    if (reveal && this.find(reveal)) this.reveal(reveal, quietly);
    else if (stay) this.toEnd(arrived);
    else if (arrived && justPressed(arrived.id)) this.toStart(arrived.id);
    else if (anchor?.isConnected) this.container.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  keep(key, signature, make) {
    const known = this.kept.get(key);
    if (known?.signature === signature) return known.node;
    // What somebody is editing right now is not redrawn under their hands.
    if (known?.node.querySelector?.(".editor")) return known.node;
    const node = make();
    this.kept.set(key, { signature, node });
    return node;
  }

  rootNodes(root, list) {
    const make = () => messageElement(root, { grouped: false, inThread: true });
    const node = this.keep(`m${root.id}`, `${root.revision}`, make);
    const count = list.messages.size;
    const words = count === 1 ? "1 reply" : `${count} replies`;
    return count ? [node, this.keep("count", words, () => h("div.replies-line", {}, words))] : [node];
  }

  messageNodes(list, root) {
    const nodes = [];
    let last = null;
    let lastDay = root?.created ? dayKey(new Date(root.created)) : null;
    let newShown = false;
    for (const message of inOrder(list)) {
      const time = new Date(message.created);
      const day = dayKey(time);
      let grouped = Boolean(last) && last.author.id === message.author.id && isWhisper(last) === isWhisper(message);
      grouped &&= time - new Date(last?.created) < GROUP_MINUTES * 60000 && !last?.deleted && !message.deleted;
      if (day !== lastDay) {
        const name = dayName(time);
        nodes.push(this.keep(`day${day}`, name, () => h("div.day", { role: "separator" }, name)));
        grouped = false;
      }
      if (!newShown && list.newAfter !== null && message.posted > list.newAfter && !isOwn(message)) {
        nodes.push(this.keep("new", "", () => h("div.new-line", { role: "separator" }, "New")));
        newShown = true;
        grouped = false;
      }
      const signature = `${message.revision}.${grouped}.${message.replies?.count ?? 0}`;
      const make = () => {
        const article = messageElement(message, { grouped, inThread: this.inThread });
        showDone(article, message.id);
        return article;
      };
      nodes.push(this.keep(`m${message.id}`, signature, make));
      last = message;
      lastDay = day;
    }
    return nodes;
  }

  jump() {
    const act = () => goTo(this.source().channel);
    return h("button.jump", { type: "button", onclick: act }, icon("down"), "Jump to the newest");
  }

  toNews() {
    const act = () => {
      this.container.focus({ preventScroll: true });
      this.toEnd(inOrder(this.source().list).at(-1));
    };
    return h("button.jump", { type: "button", onclick: act }, icon("down"), "New below");
  }

  find(id) {
    return this.container.querySelector(`[data-id="${id}"]`);
  }

  message(article) {
    const { list, root } = this.source();
    return root?.id === article.dataset.id ? root : list.messages.get(article.dataset.id);
  }

  /** Bring a message into sight; unless `quietly`, light it up and put the focus on it. */
  reveal(id, quietly) {
    const article = this.find(id);
    article.scrollIntoView({ block: "center" });
    this.atEnd = false;
    if (quietly) return;
    article.classList.remove("found");
    requestAnimationFrame(() => article.classList.add("found"));
    article.focus({ preventScroll: true });
    this.scrolled();
  }

  /** Show the end; what came just now and is taller than the pane, from its beginning. */
  toEnd(arrived = null) {
    this.container.scrollTop = this.container.scrollHeight;
    this.atEnd = true;
    if (arrived) this.toStart(arrived.id);
  }

  /** If the beginning of a message lies above the pane, bring it into sight. */
  toStart(id) {
    const article = this.find(id);
    if (!article || article.offsetTop >= this.container.scrollTop) return;
    this.container.scrollTop = article.offsetTop;
    this.atEnd = false;
  }

  async scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.container;
    this.atEnd = scrollHeight - scrollTop - clientHeight < 60;
    if (this.atEnd && this.below) this.draw();
    const { list, path } = this.source();
    if (scrollTop > 400 || !list.older || this.loading) return;
    this.loading = true;
    try {
      await loadOlder(list, path);
    } catch (error) {
      toast(error.message, { icon: "warning" });
    } finally {
      this.loading = false;
    }
  }

  offer(event) {
    const article = event.target.closest?.(".message");
    const message = article && this.message(article);
    if (message) offerActions(article, message, { inThread: this.inThread, readOnly: this.source().readOnly });
  }

  clicked(event) {
    const button = event.target.closest("button[data-action]");
    if (button) {
      press(button, this.message(button.closest(".message")));
      return;
    }
    const link = event.target.closest("a[href]");
    const address = link && !event.metaKey && !event.ctrlKey && readAddress(link.href);
    if (address) {
      event.preventDefault();
      goTo(address.channel, address.message);
    }
    if (touch.matches && !event.target.closest("a, button, input, textarea, select")) this.offer(event);
  }

  /** Arrow keys go from message to message; E edits one's own. */
  keyed(event) {
    const article = event.target.closest(".message");
    if (!article || event.target !== article) return;
    const all = [...this.container.querySelectorAll(".message")];
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step) {
      event.preventDefault();
      all[all.indexOf(article) + step]?.focus();
    } else if (event.key === "e" && this.message(article)?.mine) {
      event.preventDefault();
      edit(article, this.message(article));
    }
  }
}

function thinking(words) {
  const dots = h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  return h("div.thinking", { role: "status" }, dots, words);
}
