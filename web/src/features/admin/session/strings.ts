// Words of the operator's log-in.
import { inLanguage } from "../../../ui/language.ts";

const en = {
  title: "Operator",
  lead: "Worker accounts, queue, audit.",
  ended: "Your operator session has ended. What you typed is still here.",
  field: "Admin key",
  hint: "It is sent once, as a header, and not kept by the page. Every try is written to the audit log.",
  wrong: "Wrong key. Each try is recorded.",
  empty: "Enter the admin key.",
  show: "Show what I type",
  signIn: "Sign in",
  signingIn: "Signing in …",
  looking: "Looking for a session",
  unreachable: "The server did not answer",
  tryAgain: "Try again",
  studio: "Studio",
};

const ru: typeof en = {
  title: "Оператор",
  lead: "Учётки исполнителей, очередь, аудит.",
  ended: "Сеанс оператора закончился. Набранное на месте.",
  field: "Ключ оператора",
  hint: "Он отправляется один раз, заголовком, и страницей не хранится. Каждая попытка попадает в аудит.",
  wrong: "Неверный ключ. Каждая попытка записывается.",
  empty: "Введите ключ оператора.",
  show: "Показать набранное",
  signIn: "Войти",
  signingIn: "Вход …",
  looking: "Проверяется сеанс",
  unreachable: "Сервер не ответил",
  tryAgain: "Повторить",
  studio: "Студия",
};

export const strings = inLanguage({ en, ru });
