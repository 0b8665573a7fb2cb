// Choosing people by typing part of a name. One or several; Backspace takes the last one back.

import { get } from "./api.js";
import { avatar, h, iconButton, reconcile } from "./dom.js";

export class PeoplePicker {
  constructor(id, { several, chosen, without = [] }) {
    this.id = id;
    this.several = several;
    this.chosen = chosen;
    this.without = without;
    this.found = [];
    this.at = 0;
    this.input = h("input", {
      id,
      type: "text",
      role: "combobox",
      autocomplete: "off",
      placeholder: "Type a name",
      "aria-autocomplete": "list",
      "aria-controls": `${id}-list`,
      "aria-expanded": "false",
    });
    this.box = h("div.picker", { onclick: (event) => event.target === this.box && this.input.focus() });
    this.list = h("div.found-people", { id: `${id}-list`, role: "listbox", "aria-label": "People", hidden: true });
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.element = h("div", {}, this.box, this.list);
    this.input.addEventListener("input", (event) => {
      event.stopPropagation();
      this.look();
    });
    this.input.addEventListener("focus", () => this.quiet || this.look());
    this.input.addEventListener("blur", () => setTimeout(() => document.activeElement !== this.input && this.close(), 200));
    this.input.addEventListener("keydown", (event) => this.keyed(event));
    this.value = () => (several ? this.chosen.map((person) => person.id) : (this.chosen[0]?.id ?? ""));
    this.focusable = () => this.input;
    this.draw();
  }

  async look() {
    const asked = this.input.value;
    const { people } = await get(`/api/people?q=${encodeURIComponent(asked)}`).catch(() => ({ people: [] }));
    if (asked !== this.input.value || document.activeElement !== this.input) return;
    const taken = [...this.without, ...this.chosen.map((one) => one.id)];
    this.found = people.filter((person) => !taken.includes(person.id));
    this.at = 0;
    this.drawList();
  }

  drawList() {
    const rows = this.found.map((person, index) =>
      h(
        "div.suggestion",
        {
          id: `${this.id}-${index}`,
          role: "option",
          "aria-selected": String(index === this.at),
          onclick: () => this.take(person),
        },
        avatar(person),
        h("bdi.what", {}, person.name),
        h("span.why", { dir: "auto" }, person.title),
      ),
    );
    const none = this.input.value ? "Nobody of that name." : "Nobody else to choose.";
    if (!rows.length) rows.push(h("p.nothing", {}, none));
    reconcile(this.list, rows);
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    if (this.found.length) this.input.setAttribute("aria-activedescendant", `${this.id}-${this.at}`);
    this.list.scrollIntoView({ block: "nearest" });
    rows[this.at]?.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  take(person) {
    this.chosen = this.several ? [...this.chosen, person] : [person];
    this.changed();
  }

  drop(person) {
    this.chosen = this.chosen.filter((one) => one.id !== person.id);
    this.changed();
  }

  changed() {
    this.input.value = "";
    this.draw();
    this.quiet = true;
    this.input.focus();
    this.quiet = false;
    this.close();
    this.box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  draw() {
    const picked = this.chosen.map((person) =>
      h(
        "span.picked",
        {},
        avatar(person, true),
        h("bdi", {}, person.name),
        iconButton("close", `Remove ${person.name}`, () => this.drop(person)),
      ),
    );
    this.box.replaceChildren(...picked, this.input);
    this.input.placeholder = this.chosen.length ? "" : "Type a name";
  }

  keyed(event) {
    const open = !this.list.hidden;
    if (event.key === "Backspace" && !this.input.value && this.chosen.length) this.drop(this.chosen.at(-1));
    else if (open && event.key === "Escape") this.close();
    else if (open && this.found.length && event.key === "Enter") this.take(this.found[this.at]);
    else if (event.key === "Enter") return void event.preventDefault();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!open) return void this.look();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.at = (this.at + step + this.found.length) % Math.max(1, this.found.length);
      this.drawList();
    } else return undefined;
    event.preventDefault();
    event.stopPropagation();
    return undefined;
  }
}
