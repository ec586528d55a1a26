// Times and durations as the language in force writes them.
import { useEffect, useState } from "react";
import { currentLanguage, formatNumber } from "./language.ts";
import { strings } from "./strings.ts";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** "just now", "3 minutes ago", "yesterday", and from a week on the date. `iso` is a time of the server. */
export function relativeTime(iso: string, now: number = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  const distance = Math.abs(seconds);
  if (distance < minute) return strings.time.now;
  const format = new Intl.RelativeTimeFormat(currentLanguage(), { numeric: "auto" });
  if (distance < hour) return format.format(Math.round(seconds / minute), "minute");
  if (distance < day) return format.format(Math.round(seconds / hour), "hour");
  if (distance < 7 * day) return format.format(Math.round(seconds / day), "day");
  return absoluteDate(iso);
}

/** "21 Nov 2026, 14:03:22": a moment to the second, for titles and details. */
export function absoluteTime(iso: string): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "medium" }).format(new Date(iso));
}

/** "21 Nov 2026". */
export function absoluteDate(iso: string): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium" }).format(new Date(iso));
}

/** "14:03". */
export function clockTime(iso: string): string {
  return new Intl.DateTimeFormat(locale(), { timeStyle: "short" }).format(new Date(iso));
}

/** The heading of a day in a list: the word for it if it has one, and its date (with the year when it is another). */
export function dayTitle(iso: string, now: number = Date.now()): { name: string | null; date: string } {
  const date = new Date(iso);
  const today = new Date(now);
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  const name = isSameDay(date, today) ? strings.time.today : isSameDay(date, yesterday) ? strings.time.yesterday : null;
  const year = date.getFullYear() === today.getFullYear() ? {} : { year: "numeric" as const };
  return { name, date: new Intl.DateTimeFormat(locale(), { day: "numeric", month: "long", ...year }).format(date) };
}

/** "1.8 s", "45 s", "1 min 20 s", "2 h 5 min": at most two units, a decimal only under ten seconds; "0.03 s" rather than none. */
export function duration(seconds: number): string {
  const { seconds: s, minutes: m, hours: h } = strings.time;
  if (seconds < 0.095) return s(formatNumber(seconds, { maximumSignificantDigits: 1 }));
  if (seconds < 9.95) return s(formatNumber(seconds, { maximumFractionDigits: 1 }));
  const whole = Math.round(seconds);
  if (whole < minute) return s(formatNumber(whole));
  if (whole < hour) return join(m(formatNumber(Math.floor(whole / minute))), whole % minute, s);
  return join(h(formatNumber(Math.floor(whole / hour))), Math.floor((whole % hour) / minute), m);
}

/** The time now, in milliseconds, read again every `interval` milliseconds while the page is in sight. */
export function useNow(interval = 30_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") setNow(Date.now());
    }, interval);
    return () => clearInterval(timer);
  }, [interval]);
  return now;
}

function join(first: string, rest: number, unit: (value: string) => string): string {
  return rest === 0 ? first : `${first} ${unit(formatNumber(rest))}`;
}

function isSameDay(a: Date, b: Date): boolean {
  return a.toDateString() === b.toDateString();
}

/** English dates are written day first with 24 hours, as everywhere else on the page. */
function locale(): string {
  return currentLanguage() === "en" ? "en-GB" : currentLanguage();
}
