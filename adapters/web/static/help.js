// What the keyboard can do.

import { openDialog } from "./dialog.js";
import { h } from "./dom.js";

const mac = /Mac|iPhone|iPad/.test(navigator.platform);

const KEYS = [
  [[mac ? "⌘" : "Ctrl", "K"], "Go to a channel"],
  [["Alt", "↑"], "Channel above"],
  [["Alt", "↓"], "Channel below"],
  [["Enter"], "Send"],
  [["Shift", "Enter"], "New line"],
  [["/"], "Commands, at the start of a message"],
  [["↑"], "From an empty message field to the messages; then ↑ and ↓"],
  [["E"], "Edit the chosen message, if it is yours"],
  [["Esc"], "Close what is open"],
  [["?"], "This help"],
];

export function showHelp() {
  const list = h("dl.keys");
  for (const [keys, words] of KEYS) {
    list.append(h("dt", {}, ...keys.map((key) => h("kbd", {}, key))), h("dd", {}, words));
  }
  openDialog("Keyboard", () => [h("div.dialog-body", {}, list)]);
}
