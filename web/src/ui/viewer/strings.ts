import { formatNumber, inLanguage, plural } from "../language.ts";

const en = {
  view: "View",
  easel: "Picture",
  easelAt: (percent: string) => `Picture, zoom ${percent}`,
  fit: "Fit to window",
  actual: "1:1, actual pixels",
  actualShort: "1:1",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  percent: (value: number) => `${formatNumber(value)} %`,
  surround: "Surround",
  surroundIs: { black: "Surround: black", grey: "Surround: grey", white: "Surround: white" },
  fullScreen: "Full screen",
  leaveFullScreen: "Leave full screen",
  compare: "Before and after",
  compareEdge: "Before and after, position of the edge",
  compareAt: (percent: number) => `${formatNumber(percent)} % before`,
  before: "Before",
  after: "After",
  reference: "The reference picture, framed as for the run",
  player: "Player",
  play: "Play",
  space: "Space",
  pause: "Pause",
  playPause: "Play or pause",
  frameBack: "One frame back",
  frameOn: "One frame on",
  secondBack: "One second back",
  secondOn: "One second on",
  toStart: "To the start",
  position: "Position",
  positionText: (at: number, of: number, frame: number | null) =>
    `${tenth(at)} of ${tenth(of)} seconds${frame === null ? "" : `, frame ${formatNumber(frame)}`}`,
  clock: (at: number, of: number) => `${tenths(at)} / ${tenths(of)} s`,
  buffering: "Loading …",
  loop: "Loop",
  mute: "Sound off",
  unmute: "Sound on",
  volume: "Volume",
  missing: "The file is gone",
  missingAction: "The recipe is kept. The same settings and seed give the same result again.",
  failed: "The file could not be shown",
  failedAction: "It is still stored. Try again, or download it and open it with another program.",
  unreachable: "The server does not answer",
  unreachableAction: "Check the connection. The file is stored and is shown as soon as the server answers.",
  tryAgain: "Try again",
};

const ru: typeof en = {
  view: "Просмотр",
  easel: "Изображение",
  easelAt: (percent) => `Изображение, масштаб ${percent}`,
  fit: "По размеру окна",
  actual: "1:1, точные пиксели",
  actualShort: "1:1",
  zoomIn: "Крупнее",
  zoomOut: "Мельче",
  percent: (value) => `${formatNumber(value)} %`,
  surround: "Фон",
  surroundIs: { black: "Фон: чёрный", grey: "Фон: серый", white: "Фон: белый" },
  fullScreen: "Во весь экран",
  leaveFullScreen: "Выйти из полного экрана",
  compare: "До и после",
  compareEdge: "До и после, место границы",
  compareAt: (percent) => `До: ${formatNumber(percent)} %`,
  before: "До",
  after: "После",
  reference: "Образец, кадрированный как для запуска",
  player: "Плеер",
  play: "Смотреть",
  space: "Пробел",
  pause: "Пауза",
  playPause: "Смотреть или пауза",
  frameBack: "На кадр назад",
  frameOn: "На кадр вперёд",
  secondBack: "На секунду назад",
  secondOn: "На секунду вперёд",
  toStart: "К началу",
  position: "Место в клипе",
  positionText: (at, of, frame) =>
    `${tenth(at)} из ${tenth(of)} ${ofSeconds(of)}${frame === null ? "" : `, кадр ${formatNumber(frame)}`}`,
  clock: (at, of) => `${tenths(at)} / ${tenths(of)} с`,
  buffering: "Загрузка…",
  loop: "Повтор",
  mute: "Выключить звук",
  unmute: "Включить звук",
  volume: "Громкость",
  missing: "Файла больше нет",
  missingAction: "Рецепт сохранён. С теми же настройками и зерном получится то же самое.",
  failed: "Файл не удалось показать",
  failedAction: "Он хранится. Попробуйте ещё раз или скачайте его и откройте другой программой.",
  unreachable: "Сервер не отвечает",
  unreachableAction: "Проверьте соединение. Файл хранится и появится, как только сервер ответит.",
  tryAgain: "Ещё раз",
};

/** Every word of the viewer. */
export const strings = inLanguage({ en, ru });

/** For speech: 5, 2.4. */
function tenth(value: number): string {
  return formatNumber(value, { maximumFractionDigits: 1 });
}

/** For a clock whose width should stay: 5.0, 2.4. */
function tenths(value: number): string {
  return formatNumber(value, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** "секунды" or "секунд" after a number of which something is a part. */
function ofSeconds(value: number): string {
  const forms = { one: "секунды", few: "секунд", many: "секунд", other: "секунды" };
  return plural(Math.round(value * 10) / 10, forms);
}
