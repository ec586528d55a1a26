// Words of the figures.
import { formatNumber, inLanguage } from "../../../ui/language.ts";

const en = {
  title: "Figures",
  span: "Time span",
  hours: (hours: number) => `${formatNumber(hours)} h`,
  days: (days: number) => `${formatNumber(days)} days`,
  loading: "Loading the figures",
  failed: "The figures did not load",
  empty: "No task has ended in this time.",
  ended: "Tasks ended",
  per: (text: string) => `every ${text}`,
  done: "done",
  failures: "failed",
  cancelled: "cancelled",
  submitted: "submitted",
  endedText: (done: number, failed: number, cancelled: number, most: number, when: string) =>
    `${formatNumber(done)} done, ${formatNumber(failed)} failed, ${formatNumber(cancelled)} cancelled; most at ${when}, ${formatNumber(most)}.`,
  wait: "Wait",
  run: "Run",
  spread: "median, 95 in 100",
  spreadText: (median: string, most: string, when: string) =>
    `Longest median ${median}, and 95 in 100 within ${most}, both in the time from ${when}.`,
  none: "Nothing to show in this time.",
  executors: "By executor",
  executor: "Executor",
  range: "From median to 95 in 100",
  median: "Median",
  most: "95 in 100",
  embedded: "embedded",
  asTable: "As a table",
  tableOf: (title: string) => `${title}, as a table`,
  time: "Time",
  now: "now",
};

const ru: typeof en = {
  title: "Цифры",
  span: "За какое время",
  hours: (hours) => `${formatNumber(hours)} ч`,
  days: (days) => `${formatNumber(days)} дн.`,
  loading: "Цифры загружаются",
  failed: "Цифры не загрузились",
  empty: "За это время ни одна задача не закончилась.",
  ended: "Закончено задач",
  per: (text) => `за каждые ${text}`,
  done: "готово",
  failures: "неудачи",
  cancelled: "отменено",
  submitted: "отправлено",
  endedText: (done, failed, cancelled, most, when) =>
    `Готово ${formatNumber(done)}, неудач ${formatNumber(failed)}, отменено ${formatNumber(cancelled)}; больше всего в ${when}: ${formatNumber(most)}.`,
  wait: "Ожидание",
  run: "Работа",
  spread: "медиана, 95 из 100",
  spreadText: (median, most, when) =>
    `Наибольшая медиана ${median}, 95 из 100 — не дольше ${most}, и то и другое начиная с ${when}.`,
  none: "За это время показать нечего.",
  executors: "По исполнителям",
  executor: "Исполнитель",
  range: "От медианы до 95 из 100",
  median: "Медиана",
  most: "95 из 100",
  embedded: "встроенный движок",
  asTable: "Таблицей",
  tableOf: (title) => `${title}, таблицей`,
  time: "Время",
  now: "сейчас",
};

export const strings = inLanguage({ en, ru });
