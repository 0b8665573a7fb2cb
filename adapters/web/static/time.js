// Times as people say them, in the reader's own language settings and time zone.

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dated = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
const daysAgo = (date) => Math.round((midnight(new Date()) - midnight(date)) / 86400000);

export const dayKey = (date) => `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
export const clockTime = (date) => clock.format(date);
export const fullTime = (date) => full.format(date);

export function dayName(date) {
  const days = daysAgo(date);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return days < 180 ? weekday.format(date) : dated.format(date);
}

/** "3 minutes ago", "yesterday", "12 May". */
export function ago(date) {
  const seconds = (date - Date.now()) / 1000;
  if (seconds > -45) return "just now";
  if (seconds > -3600) return relative.format(Math.round(seconds / 60), "minute");
  if (daysAgo(date) === 0) return relative.format(Math.round(seconds / 3600), "hour");
  if (daysAgo(date) < 7) return relative.format(-daysAgo(date), "day");
  return dated.format(date);
}

/** What <input type="datetime-local"> shows for a moment, and back. It knows no time zones: it is the reader's. */
export function toLocalInput(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  return new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

export function fromLocalInput(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().replace("Z", "+00:00");
}
