/** Moments, sizes and words as people read them. */
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const MOMENT = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["week", 604_800], ["day", 86_400], ["hour", 3_600], ["minute", 60]];

export const day = (text) => (text ? DAY.format(new Date(text)) : "");
export const moment = (text) => (text ? MOMENT.format(new Date(text)) : "");
export const clock = (ms) => CLOCK.format(new Date(ms));

/** "in 3 days", "2 hours ago". */
export function ago(text, now = Date.now()) {
  if (!text) return "";
  const seconds = (new Date(text) - now) / 1000;
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ["second", 1];
  return unit === "second" && seconds <= 0 ? "just now" : RELATIVE.format(Math.trunc(seconds / size), unit);
}

export function size(bytes) {
  if (bytes === undefined || bytes === null) return "";
  if (bytes < 1000) return `${bytes} B`;
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), 4);
  const number = bytes / 1000 ** power;
  return `${number.toFixed(number < 10 ? 1 : 0)} ${["B", "KB", "MB", "GB", "TB"][power]}`;
}

export function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return seconds < 86_400 ? `${(seconds / 3600).toFixed(1)} h` : `${(seconds / 86_400).toFixed(1)} d`;
}

/** "jobReopenClosed" as "job reopen closed"; "currentStep" as "Current step" with `capital`. */
export function words(name, capital = false) {
  const text = name.replace(/[_.]/g, " ").replace(/([a-z\d])([A-Z])/g, "$1 $2").toLowerCase();
  return capital ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

export const plural = (number, one, many = `${one}s`) => `${number.toLocaleString()} ${number === 1 ? one : many}`;
