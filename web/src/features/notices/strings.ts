import { inLanguage, plural } from "../../ui/language.ts";

const en = {
  done: "Done",
  several: (count: number) => plural(count, { one: "# task ended", other: "# tasks ended" }),
  failures: (count: number) => plural(count, { one: "# failed", other: "# failed" }),
  allDone: "All done",
};

const ru: typeof en = {
  done: "Готово",
  several: (count) =>
    plural(count, {
      one: "Завершена # задача",
      few: "Завершены # задачи",
      many: "Завершено # задач",
      other: "Завершено # задачи",
    }),
  failures: (count) => plural(count, { one: "# не вышла", few: "# не вышли", many: "# не вышли", other: "# не вышли" }),
  allDone: "Все готовы",
};

export const strings = inLanguage({ en, ru });
