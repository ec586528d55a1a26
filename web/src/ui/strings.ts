// Words of the pieces that every page uses.
import { inLanguage } from "./language.ts";

const en = {
  close: "Close",
  keep: "Keep",
  messages: "Messages",
  typeToConfirm: (word: string) => `Type ${word} to confirm`,
  reference: "Reference",
  shortcuts: {
    title: "Keyboard",
    singleKeys: "Single keys",
    singleKeysHint: "They rest while a field has focus. Switch them off if you dictate or press keys by accident.",
    followedBy: "then",
    none: "This page has no keys of its own.",
  },
  keys: {
    space: "Space",
    enter: "Enter",
    escape: "Esc",
    delete: "Del",
    shift: "Shift",
    control: "Ctrl",
    pageUp: "Page up",
    pageDown: "Page down",
    home: "Home",
    end: "End",
  },
  time: {
    now: "just now",
    seconds: (value: string) => `${value} s`,
    minutes: (value: string) => `${value} min`,
    hours: (value: string) => `${value} h`,
    today: "Today",
    yesterday: "Yesterday",
  },
  bytes: ["B", "kB", "MB", "GB", "TB"],
};

const ru: typeof en = {
  close: "Закрыть",
  keep: "Оставить",
  messages: "Сообщения",
  typeToConfirm: (word: string) => `Введите ${word} для подтверждения`,
  reference: "Номер запроса",
  shortcuts: {
    title: "Клавиши",
    singleKeys: "Одиночные клавиши",
    singleKeysHint: "Не действуют, пока курсор в поле. Отключите, если диктуете или задеваете клавиши случайно.",
    followedBy: "затем",
    none: "У этой страницы нет своих клавиш.",
  },
  keys: {
    space: "Пробел",
    enter: "Ввод",
    escape: "Esc",
    delete: "Del",
    shift: "Shift",
    control: "Ctrl",
    pageUp: "Страница вверх",
    pageDown: "Страница вниз",
    home: "Home",
    end: "End",
  },
  time: {
    now: "только что",
    seconds: (value: string) => `${value} с`,
    minutes: (value: string) => `${value} мин`,
    hours: (value: string) => `${value} ч`,
    today: "Сегодня",
    yesterday: "Вчера",
  },
  bytes: ["Б", "кБ", "МБ", "ГБ", "ТБ"],
};

export const strings = inLanguage({ en, ru });
