// Words of the stage before there is anything on it.
import { inLanguage } from "../../../ui/language.ts";

const en = {
  picture: "Picture",
  tasksFailed: "The list of tasks did not load",
  loading: "Loading the latest pictures",
  emptyTitle: "Nothing on the easel yet",
  emptyText: "Write what you want to see and press Generate. A first picture takes a few seconds.",
  examples: ["a red lighthouse by the sea at sunset", "an orange cat in a forest", "a rocket over the moon"],
  absentTitle: "This task is no longer here",
  absentText: "It was deleted, or the address is mistyped.",
  showNewest: "Show the newest",
};

const ru: typeof en = {
  picture: "Изображение",
  tasksFailed: "Список задач не загрузился",
  loading: "Загрузка последних картинок",
  emptyTitle: "На мольберте пока пусто",
  emptyText:
    "Опишите картинку и нажмите «Создать». Первая будет готова через несколько секунд. Модели понимают английский, поэтому примеры на нём.",
  examples: ["a red lighthouse by the sea at sunset", "an orange cat in a forest", "a rocket over the moon"],
  absentTitle: "Этой задачи больше нет",
  absentText: "Её удалили, или в адресе ошибка.",
  showNewest: "Показать новейшую",
};

export const strings = inLanguage({ en, ru });
