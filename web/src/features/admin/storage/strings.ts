// Words of storage and of the parts of the server.
import { formatNumber, inLanguage } from "../../../ui/language.ts";

const en = {
  title: "Storage",
  loading: "Loading storage use",
  failed: "Storage use did not load",
  used: (used: string, free: string) => `${used} used, ${free} free`,
  usedOnly: (used: string) => `${used} used`,
  media: "Pictures, clips, uploads",
  files: "Files",
  database: "Database",
  free: "Free",
  unknown: "not known",
  count: (count: number) => formatNumber(count),
  parts: "Parts",
  partsLoading: "Loading the state of the parts",
  partsFailed: "The state of the parts did not load",
  states: { ok: "in order", degraded: "limited", failed: "failed" },
  names: {
    database: "Database",
    media_storage: "Storage of media",
    reverse_proxy: "Proxy",
    content_policy: "Content policy",
    queue: "Queue",
    embedded_engine: "Embedded engine",
    worker_accounts: "Worker accounts",
    encryption: "Encryption",
    deployments: "Deployments",
    webhook: "Webhook",
  },
};

const ru: typeof en = {
  title: "Место",
  loading: "Занятое место загружается",
  failed: "Занятое место не загрузилось",
  used: (used, free) => `занято ${used}, свободно ${free}`,
  usedOnly: (used) => `занято ${used}`,
  media: "Картинки, ролики, образцы",
  files: "Файлов",
  database: "База",
  free: "Свободно",
  unknown: "неизвестно",
  count: (count) => formatNumber(count),
  parts: "Части",
  partsLoading: "Состояние частей загружается",
  partsFailed: "Состояние частей не загрузилось",
  states: { ok: "в порядке", degraded: "ограничена", failed: "отказ" },
  names: {
    database: "База",
    media_storage: "Хранилище медиа",
    reverse_proxy: "Прокси",
    content_policy: "Правила содержания",
    queue: "Очередь",
    embedded_engine: "Встроенный движок",
    worker_accounts: "Учётки исполнителей",
    encryption: "Шифрование",
    deployments: "Развёртывания",
    webhook: "Оповещения",
  },
};

export const strings = inLanguage({ en, ru });
