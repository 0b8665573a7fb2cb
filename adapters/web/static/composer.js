// Where one writes. What is typed is kept until the server has said it is safe there.

import { channelPath, newKey, post } from "./api.js";
import { h, iconButton, toast } from "./dom.js";
import { openForm } from "./form.js";
import { Popup } from "./popup.js";
import { memory, placeKey, receive, state, whileBusy } from "./state.js";

const LONGEST = 40000;

export class Composer {
  constructor(slot, { where, channel, thread, name, direct }) {
    this.channel = channel;
    this.thread = thread;
    this.direct = direct;
    this.draftKey = `draft:${state.me.id}:${placeKey(channel, thread)}`;
    this.input = h("textarea", {
      id: `composer-${where}`,
      rows: "1",
      placeholder: direct && !thread ? `Ask ${name} something` : `Write to ${name}`,
      "aria-label": `Write to ${name}`,
      enterkeyhint: "send",
      autocomplete: "off",
    });
    this.hint = h("span.hint", { "aria-live": "polite" });
    this.send = iconButton("send", "Send (Enter)", null, { type: "submit" });
    this.send.classList.add("send");
    const tools = h(
      "div.tools",
      {},
      iconButton("slash", "Commands", () => this.insert("/")),
      !direct && iconButton("at", `Ask ${state.bot.name}`, () => this.insert(`@${state.bot.name} `)),
      this.hint,
      this.send,
    );
    this.form = h("form.composer", { onsubmit: (event) => this.submit(event) }, this.input, tools);
    this.popup = new Popup(this.input, slot, () => this.typed());
    slot.replaceChildren(this.popup.element, this.form);
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.keyed(event));
    this.fill(memory.get(this.draftKey) ?? "", { focus: false });
  }

  fill(text, { focus = true } = {}) {
    this.input.value = text;
    if (focus) this.input.focus();
    this.typed({ helping: focus });
  }

  insert(text) {
    const { value, selectionStart: at } = this.input;
    if (text === "/") {
      this.fill(value.startsWith("/") ? value : `/${value}`);
      this.input.setSelectionRange(1, 1);
      this.popup.update();
      return;
    }
    const space = at > 0 && !/\s$/.test(value.slice(0, at)) ? " " : "";
    this.input.focus();
    this.input.setRangeText(space + text, at, this.input.selectionEnd, "end");
    this.typed();
  }

  typed({ helping = true } = {}) {
    const { input } = this;
    const text = input.value;
    memory.set(this.draftKey, text);
    this.form.classList.toggle("empty", !text.trim());
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight}px`;
    const over = text.length > LONGEST;
    this.hint.classList.toggle("over", over);
    this.hint.textContent = over
      ? `${(text.length - LONGEST).toLocaleString()} characters too many`
      : text.trim() ? "Shift + Enter for a new line" : "";
    if (helping) this.popup.update();
  }

  keyed(event) {
    if (event.isComposing || this.popup.keyed(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.form.requestSubmit();
    } else if (event.key === "ArrowUp" && !this.input.value) {
      const mine = [...this.form.closest(".pane").querySelectorAll(".message")].at(-1);
      if (mine) {
        event.preventDefault();
        mine.focus();
      }
    }
  }

  async submit(event) {
    event.preventDefault();
    const text = this.input.value.trim();
    if (!text) return;
    if (text.length > LONGEST) {
      const most = LONGEST.toLocaleString();
      toast(`One message holds ${most} characters. Send it in parts, or link to a document.`, { icon: "warning" });
      return;
    }
    // Empty the field for the next thought, but keep the draft stored until the answer is there.
    this.fill("");
    this.popup.close();
    memory.set(this.draftKey, text);
    // The same words sent again after a failure without an answer go out under the same key: they arrive once.
    const key = this.failed?.text === text ? this.failed.key : newKey();
    this.failed = null;
    const thread = this.thread;
    const mentioned = text.toLowerCase().includes(`@${state.bot.name.toLowerCase()}`);
    const forBot = this.direct || text.startsWith("/") || mentioned;
    const work = () => post(channelPath(this.channel, "/messages"), { key, text, thread });
    try {
      const answer = forBot ? await whileBusy(placeKey(this.channel, thread), work, { follow: true }) : await work();
      if (answer.message) receive([answer.message]);
      if (answer.form) openForm(answer.form);
      memory.set(this.draftKey, this.input.value);
    } catch (error) {
      if (error.status === 0) this.failed = { text, key };
      this.fill(this.input.value.trim() ? `${text}\n${this.input.value}` : text);
      this.popup.close();
      toast(error.message, { icon: "warning" });
    }
  }
}
