// Making elements. Text always goes in as text; HTML only where the server has made it safe (`html`).

/** h("button.icon-button", {"aria-label": "Close", onclick: f}, icon("close")) */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "html") element.innerHTML = value;
    else if (key in element && typeof value !== "string") element[key] = value;
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

export const iconButton = (name, label, onclick, extra = {}) =>
  h("button.icon-button", { type: "button", "aria-label": label, title: label, onclick, ...extra }, icon(name));

/** A name may be in any script: it must not turn round what stands beside it. */
export const bdi = (text, tag = "bdi") => h(tag, {}, text);

export function avatar(person, small = false) {
  const face = h(`span.avatar${small ? ".small" : ""}`, { "aria-hidden": "true" });
  if (person.bot) {
    face.classList.add("bot");
    face.append(icon("mark"));
  } else {
    face.classList.add(`tone-${person.tone}`);
    face.append(person.initials);
  }
  return face;
}

export const botTag = () => h("span.bot-tag", {}, "Bot");

/** Make a container's children exactly `nodes`, moving and removing as little as possible. */
export function reconcile(container, nodes) {
  nodes.forEach((node, index) => {
    if (container.children[index] !== node) container.insertBefore(node, container.children[index] ?? null);
  });
  while (container.children.length > nodes.length) container.lastElementChild.remove();
}

/** A passing notice. Errors stay until closed or for long enough to be read. */
export function toast(text, { icon: name = null } = {}) {
  const notice = h("div.toast", {}, name && icon(name), h("span", {}, text));
  notice.append(iconButton("close", "Dismiss", () => notice.remove()));
  document.getElementById("toasts").append(notice);
  setTimeout(() => notice.remove(), 4000 + text.length * 60);
}

/** Tell somebody who listens instead of looking. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}
