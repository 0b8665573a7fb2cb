// Menus that open at a button: a list of things to do, or a grid of emoji. Escape and a click elsewhere close them.

import { h, icon } from "./dom.js";
import { state } from "./state.js";

/** items: {label, icon, act | href, ticked}, {heading}, or "-" for a line. */
export function openMenu(anchor, items) {
  const menu = h("div.menu", { role: "menu" });
  for (const item of items) {
    if (item === "-") menu.append(h("hr"));
    else if (item.heading) menu.append(h("h3", {}, item.heading));
    else menu.append(menuItem(item, menu));
  }
  open(anchor, menu, ".menu-item", 1);
}

function menuItem(item, menu) {
  const role = item.ticked === undefined ? "menuitem" : "menuitemradio";
  const inside = [icon(item.icon), item.label, item.ticked ? h("span.tick", {}, icon("check")) : null];
  if (item.href) return h("a.menu-item", { href: item.href, role }, ...inside);
  return h(
    "button.menu-item",
    {
      type: "button",
      role,
      "aria-checked": item.ticked === undefined ? null : String(item.ticked),
      onclick: () => {
        menu.hidePopover();
        item.act();
      },
    },
    ...inside,
  );
}

export function openEmoji(anchor, choose) {
  const grid = h("div.menu.emoji-grid", { role: "group", "aria-label": "React with" });
  for (const [name, glyph] of Object.entries(state.emoji)) {
    const label = name.replaceAll("_", " ");
    grid.append(
      h(
        "button",
        {
          type: "button",
          "aria-label": label,
          title: label,
          onclick: () => {
            grid.hidePopover();
            choose(name);
          },
        },
        glyph,
      ),
    );
  }
  open(anchor, grid, "button", 6);
}

function open(anchor, menu, items, columns) {
  menu.popover = "auto";
  document.body.append(menu);
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    const inside = menu.contains(document.activeElement) || document.activeElement === document.body;
    menu.remove();
    anchor.setAttribute("aria-expanded", "false");
    if (inside && anchor.isConnected) anchor.focus();
  });
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: columns, ArrowUp: -columns, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...menu.querySelectorAll(items)];
    const next = all.indexOf(document.activeElement) + step;
    all[Math.max(0, Math.min(all.length - 1, next))].focus();
  });
  menu.showPopover();
  place(anchor, menu);
  anchor.setAttribute("aria-expanded", "true");
  menu.querySelector(items)?.focus();
}

/** Beside the anchor, above or below it, wherever there is room. */
function place(anchor, menu) {
  const spot = anchor.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const below = spot.bottom + 4 + size.height < innerHeight;
  menu.style.top = `${Math.max(8, below ? spot.bottom + 4 : spot.top - size.height - 4)}px`;
  const left = spot.left + size.width < innerWidth - 8 ? spot.left : spot.right - size.width;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - size.width - 8))}px`;
}
