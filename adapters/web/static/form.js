// Forms of the bot as dialogs. What is wrong is said at the input it is about; nothing typed is ever lost to it.

import { newKey, post } from "./api.js";
import { confirmThat, openDialog } from "./dialog.js";
import { announce, h, icon } from "./dom.js";
import { PeoplePicker } from "./picker.js";
import { fromLocalInput, toLocalInput } from "./time.js";

let forms = 0;

export function openForm(form) {
  const prefix = `form-${(forms += 1)}`;
  const fields = form.inputs.map((question) => field(question, `${prefix}-${question.name}`, form.people ?? []));
  const problem = h("span.problem", { role: "alert" });
  const submit = h("button.button.primary", { type: "submit" }, form.submit);
  // One key for as long as the form is open and unchanged: pressing twice acts once.
  let key = newKey();
  let sending = false;
  let touched = false;

  const inside = (close, leave) => [
    h(
      "form",
      {
        noValidate: true,
        oninput: (event) => {
          if (!sending) key = newKey();
          touched = true;
          fields.find((one) => one.element.contains(event.target))?.wrong("");
          problem.textContent = "";
        },
        onsubmit: async (event) => {
          event.preventDefault();
          if (sending) return;
          sending = true;
          busy(submit, true);
          problem.textContent = "";
          fields.forEach((one) => one.wrong(""));
          try {
            const values = Object.fromEntries(fields.map((one) => [one.name, one.value()]));
            await post("/api/forms", { key, token: form.token, values });
            close();
            announce("Sent");
          } catch (error) {
            problem.textContent = error.message;
            const wrong = fields.filter((one) => error.errors[one.name]);
            wrong.forEach((one) => one.wrong(error.errors[one.name]));
            (wrong[0] ?? fields[0])?.focus();
            if (error.status === 422) key = newKey();
          } finally {
            sending = false;
            busy(submit, false);
          }
        },
      },
      h("div.dialog-body", {}, form.intro && h("div", { html: form.intro }), ...fields.map((one) => one.element)),
      h("footer.dialog-footer", {}, problem, h("button.button", { type: "button", onclick: leave }, "Cancel"), submit),
    ),
  ];
  const mayLeave = () =>
    !touched || confirmThat("Close without sending?", "What you have typed or chosen here is lost then.", "Close");
  const dialog = openDialog(form.title, inside, { mayLeave });
  fields[0]?.focus();
  return dialog;
}

function busy(button, on) {
  button.classList.toggle("busy", on);
  button.setAttribute("aria-disabled", String(on));
}

/** An input with its label, hint and place for an error: {name, element, value(), focus(), wrong(sentence)}. */
function field(question, id, people) {
  const control = controls[question.kind](question, id, people);
  const error = h("p.error", { id: `${id}-error`, hidden: true });
  const hint = question.hint ? h("p.hint", { id: `${id}-hint`, dir: "auto" }, question.hint) : null;
  const many = question.kind === "choices" || control.radios;
  const optional = question.required || question.kind === "toggle" ? null : h("span.optional", {}, " (optional)");
  const words = [h("bdi", {}, question.label), optional];
  const named = many ? h("legend", {}, ...words) : h("label", { for: id }, ...words);
  const label = control.labelled ? null : named;
  const element = h(many ? "fieldset.field" : "div.field", {}, label, control.element, hint, error);
  control.focusable().setAttribute("aria-describedby", [hint && hint.id, error.id].filter(Boolean).join(" "));
  return {
    name: question.name,
    element,
    value: control.value,
    focus: () => control.focusable().focus(),
    wrong: (sentence) => {
      error.hidden = !sentence;
      error.replaceChildren(...(sentence ? [icon("warning"), sentence] : []));
      element.classList.toggle("wrong", Boolean(sentence));
      control.focusable().setAttribute("aria-invalid", String(Boolean(sentence)));
    },
  };
}

const simple = (input, read = () => input.value) => ({ element: input, value: read, focusable: () => input });
const required = (question) => ({ "aria-required": String(question.required) });
const typed = (question) => ({
  dir: "auto",
  value: question.initial || "",
  maxLength: question.maxLength,
  ...required(question),
});

function options(question, id, type, chosen) {
  const boxes = question.options.map((option) =>
    h("input", { type, name: id, value: option.value, checked: chosen.includes(option.value) }),
  );
  const rows = question.options.map((option, index) =>
    h(
      "label.option",
      {},
      boxes[index],
      h("span", {}, h("bdi", {}, option.label), " ", option.hint && h("span.why", {}, option.hint)),
    ),
  );
  const checked = () => boxes.filter((box) => box.checked).map((box) => box.value);
  const focusable = () => boxes.find((box) => box.checked) ?? boxes[0];
  return { element: h("div", {}, ...rows), checked, focusable };
}

const picker = (question, id, people, several) =>
  new PeoplePicker(id, { several, chosen: initialPeople(question, people), without: question.without });

const controls = {
  text: (question, id) =>
    simple(h("input", { id, type: "text", autocomplete: "off", ...typed(question) })),

  long_text: (question, id) =>
    simple(h("textarea", { id, ...typed(question) })),

  choice(question, id) {
    // A few are shown at once; many go into a list.
    if (question.options.length <= 5) {
      const group = options(question, id, "radio", [question.initial]);
      return { ...group, radios: true, value: () => group.checked()[0] ?? "" };
    }
    const list = h("select", { id, ...required(question) }, h("option", { value: "" }, "Choose…"));
    for (const option of question.options) {
      list.append(h("option", { value: option.value }, [option.label, option.hint].filter(Boolean).join(" · ")));
    }
    list.value = question.initial || "";
    return simple(list);
  },

  choices(question, id) {
    const group = options(question, id, "checkbox", [question.initial].flat());
    return { ...group, value: group.checked };
  },

  person: (question, id, people) => picker(question, id, people, false),
  people: (question, id, people) => picker(question, id, people, true),

  datetime(question, id) {
    const value = toLocalInput(question.initial);
    const input = h("input", { id, type: "datetime-local", value, ...required(question) });
    return simple(input, () => (input.value ? fromLocalInput(input.value) : ""));
  },

  toggle(question, id) {
    const box = h("input", { id, type: "checkbox", role: "switch", checked: question.initial === true });
    const element = h("label.toggle", {}, box, h("bdi", {}, question.label));
    return { element, labelled: true, value: () => box.checked, focusable: () => box };
  },
};

function initialPeople(question, people) {
  return [question.initial].flat().map((id) => people.find((person) => person.id === id)).filter(Boolean);
}
