// Why a check of an account was bad, by its code. The server's own English sentence stands beside it in details.
import { currentLanguage, inLanguage } from "../../../ui/language.ts";

const en = {
  not_deployed: "It was not deployed yet.",
  credentials_unreadable: "Its credentials cannot be read. Replace them, or restore the encryption key.",
  invalid_worker_key: "The worker does not take this key. Replace the credentials.",
  protocol_unsupported: "The worker speaks another version of the protocol. Deploy or update it.",
  worker_error: "The worker answered with an error. Look into its log.",
  not_ready: "The worker takes no tasks at the moment.",
  no_models: "No model of the worker has its weights in place.",
  bad_url: "The address is not usable.",
  plain_http: "The address is plain http and not allowed.",
  address_refused: "The address lies in a network that is not allowed.",
  unreachable: "Nothing answers at the address.",
  untrusted: "Its certificate is not trusted.",
  timed_out: "No answer in time.",
  redirect: "The address leads elsewhere, which is not followed.",
  too_large: "The answer was too large.",
  unreadable: "What answers there is no worker.",
};

const ru: typeof en = {
  not_deployed: "Ещё не развёрнута.",
  credentials_unreadable: "Ключи не читаются. Смените их или верните ключ шифрования.",
  invalid_worker_key: "Исполнитель не принимает ключ. Смените ключи.",
  protocol_unsupported: "Исполнитель говорит на другой версии протокола. Обновите его.",
  worker_error: "Исполнитель ответил ошибкой. Загляните в его журнал.",
  not_ready: "Исполнитель сейчас не берёт задач.",
  no_models: "Ни у одной модели нет весов на месте.",
  bad_url: "Адрес непригоден.",
  plain_http: "Адрес без шифрования, это не разрешено.",
  address_refused: "Адрес в сети, куда обращаться нельзя.",
  unreachable: "По адресу никто не отвечает.",
  untrusted: "Сертификату нет доверия.",
  timed_out: "Ответ не пришёл вовремя.",
  redirect: "Адрес отсылает в другое место, туда не ходим.",
  too_large: "Ответ слишком велик.",
  unreadable: "Там отвечает не исполнитель.",
};

const words = inLanguage({ en, ru });

/** The fault as one sentence. A code that this page does not know is told as the server put it, in English. */
export function checkWords(code: string | null, detail: string | null): string {
  const known: unknown = code === null ? undefined : Reflect.get(words, code);
  // The server names the model or address at fault, which a fixed sentence cannot.
  if (currentLanguage() === "en" && detail !== null) return detail;
  return typeof known === "string" ? known : (detail ?? code ?? "");
}
