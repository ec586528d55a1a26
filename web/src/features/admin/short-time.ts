import { currentLanguage } from "../../ui/language.ts";

/** "14:03:22" of today, "21 Nov, 14:03" of another day. */
export function shortTime(iso: string, now: number = Date.now()): string {
  const isToday = new Date(iso).toDateString() === new Date(now).toDateString();
  const language = currentLanguage() === "en" ? "en-GB" : currentLanguage();
  const clock: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
  const options: Intl.DateTimeFormatOptions = isToday
    ? { ...clock, second: "2-digit" }
    : { ...clock, day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(language, options).format(new Date(iso));
}
