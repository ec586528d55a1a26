// Words of keys and other secrets.
import type { ApiKey, Secret } from "@safelight/contract";
import { inLanguage, plural } from "../../../ui/language.ts";

const en = {
  title: "Secrets",
  note: (due: number) =>
    due === 0 ? "in order" : plural(due, { one: "# wants attention", other: "# want attention" }),
  loading: "Loading the secrets",
  failed: "The secrets did not load",
  names: {
    "api-key": "API key",
    "admin-key": "Admin key",
    "session-secret": "Session secret",
    "encryption-key": "Encryption key",
    "audit-key": "Audit key",
    "access-password": "Access password",
    "metrics-token": "Metrics token",
    "webhook-secret": "Webhook secret",
    "worker-key": "Worker key",
    "modal-token": "Modal token",
  } as Record<string, string>,
  states: { ok: "in order", overdue: "old", waiting: "unfinished", revoked: "revoked" } as Record<
    Secret["state"],
    string
  >,
  sources: {
    environment: "from the environment",
    file: "from a file",
    generated: "made here",
    database: "stored here",
  },
  age: (days: number) => plural(days, { one: "# day old", other: "# days old" }),
  ageUnknown: "age not known",
  former: (count: number) =>
    plural(count, { one: "# former value still counts", other: "# former values still count" }),
  steps: {
    overdue: (command: string) => `It is old: ${command}`,
    waiting: (setting: string) => `The new value is not in ${setting} yet. Set it and restart.`,
    waitingHere: "A new value waits until the worker has it.",
    revoked: (setting: string) => `${setting} holds a revoked value, which opens nothing. Set another one and restart.`,
  },
  keys: "API keys",
  keysLoading: "Loading the API keys",
  keysFailed: "The API keys did not load",
  noKeys: (command: string) => `None has a name of its own. Make one with “${command}”.`,
  scopes: { generate: "may generate", read_only: "may look only" } as Record<ApiKey["scope"], string>,
  used: (time: string) => `last used ${time}`,
  unused: "never used",
  until: (time: string) => `until ${time}`,
  older: (count: number) =>
    plural(count, { one: "and # more that counts no longer", other: "and # more that count no longer" }),
};

const ru: typeof en = {
  title: "Секреты",
  note: (due) =>
    due === 0
      ? "в порядке"
      : plural(due, {
          one: "# требует внимания",
          few: "# требуют внимания",
          many: "# требуют внимания",
          other: "# требуют внимания",
        }),
  loading: "Секреты загружаются",
  failed: "Секреты не загрузились",
  names: {
    "api-key": "Ключ API",
    "admin-key": "Ключ оператора",
    "session-secret": "Секрет сеансов",
    "encryption-key": "Ключ шифрования",
    "audit-key": "Ключ аудита",
    "access-password": "Пароль доступа",
    "metrics-token": "Токен метрик",
    "webhook-secret": "Секрет оповещений",
    "worker-key": "Ключ исполнителя",
    "modal-token": "Токен Modal",
  },
  states: { ok: "в порядке", overdue: "старый", waiting: "не завершено", revoked: "отозван" },
  sources: { environment: "из окружения", file: "из файла", generated: "создан здесь", database: "хранится здесь" },
  age: (days) =>
    plural(days, { one: "возраст # день", few: "возраст # дня", many: "возраст # дней", other: "возраст # дня" }),
  ageUnknown: "возраст неизвестен",
  former: (count) =>
    plural(count, {
      one: "ещё действует # прежнее значение",
      few: "ещё действуют # прежних значения",
      many: "ещё действуют # прежних значений",
      other: "ещё действует # прежнего значения",
    }),
  steps: {
    overdue: (command) => `Пора заменить: ${command}`,
    waiting: (setting) => `Нового значения ещё нет в ${setting}. Впишите его и перезапустите сервер.`,
    waitingHere: "Новое значение ждёт, пока его получит исполнитель.",
    revoked: (setting) => `В ${setting} отозванное значение, оно ничего не открывает. Впишите другое и перезапустите.`,
  },
  keys: "Ключи API",
  keysLoading: "Ключи загружаются",
  keysFailed: "Ключи не загрузились",
  noKeys: (command) => `Именных ключей нет. Создайте: «${command}».`,
  scopes: { generate: "может создавать", read_only: "может только смотреть" },
  used: (time) => `применён ${time}`,
  unused: "не применялся",
  until: (time) => `до ${time}`,
  older: (count) =>
    plural(count, {
      one: "и ещё # недействующий",
      few: "и ещё # недействующих",
      many: "и ещё # недействующих",
      other: "и ещё # недействующего",
    }),
};

export const strings = inLanguage({ en, ru });
