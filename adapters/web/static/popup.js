// The list above the composer: commands after "/", the bot after "@". Arrow keys choose, Enter or Tab takes.

import { avatar, h, icon, reconcile } from "./dom.js";
import { state } from "./state.js";

let count = 0;

export class Popup {
  constructor(input, slot, taken) {
    this.input = input;
    this.taken = taken;
    this.id = `suggestions-${(count += 1)}`;
    this.element = h("div.popup", { id: this.id, role: "listbox", "aria-label": "Suggestions", hidden: true });
    this.options = [];
    this.chosen = 0;
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", this.id);
    input.addEventListener("blur", () => this.close());
    // A press on the list must not take the focus from the field before the click arrives.
    this.element.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  update() {
    const before = this.input.value.slice(0, this.input.selectionStart);
    const command = /^\/([a-z]*)$/i.exec(before);
    const mention = /(?:^|\s)@(\w*)$/.exec(before);
    if (command) this.show(this.commands(command[1].toLowerCase()));
    else if (mention) this.show(this.bot(mention[1].toLowerCase(), before));
    else this.close();
  }

  commands(typed) {
    return state.commands
      .filter((command) => command.name.startsWith(typed))
      .map((command) => ({
        inside: [
          icon("slash"),
          h("span.what", {}, `/${command.name} `, h("span.arguments", {}, command.arguments)),
          h("span.why", {}, command.hint),
        ],
        take: () => this.put(0, `/${command.name} `),
        whole: command.name === typed && !command.arguments,
      }));
  }

  bot(typed, before) {
    const { name } = state.bot;
    if (!name.toLowerCase().startsWith(typed) || typed === name.toLowerCase()) return [];
    const why = h("span.why", {}, "Ask; the answer comes in a thread");
    const inside = [avatar({ bot: true }, true), h("span.what", {}, name), why];
    return [{ inside, take: () => this.put(before.length - typed.length - 1, `@${name} `) }];
  }

  put(from, text) {
    this.input.setRangeText(text, from, this.input.selectionStart, "end");
    this.close();
    this.taken();
  }

  show(options) {
    this.options = options;
    this.chosen = Math.min(this.chosen, Math.max(0, options.length - 1));
    if (!options.length) {
      this.close();
      return;
    }
    reconcile(
      this.element,
      options.map((option, index) =>
        h(
          "div.suggestion",
          {
            id: `${this.id}-${index}`,
            role: "option",
            "aria-selected": String(index === this.chosen),
            onclick: option.take,
          },
          ...option.inside,
        ),
      ),
    );
    this.element.hidden = false;
    this.input.setAttribute("aria-activedescendant", `${this.id}-${this.chosen}`);
  }

  close() {
    this.options = [];
    this.chosen = 0;
    this.element.hidden = true;
    this.input.removeAttribute("aria-activedescendant");
  }

  /** True when the key was meant for the list. */
  keyed(event) {
    if (this.element.hidden || event.shiftKey) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.chosen = (this.chosen + step + this.options.length) % this.options.length;
      this.show(this.options);
    } else if (event.key === "Enter" && this.options[this.chosen].whole) {
      this.close(); // nothing to add to it: Enter sends
      return false;
    } else if (event.key === "Enter" || event.key === "Tab") this.options[this.chosen].take();
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }
}
