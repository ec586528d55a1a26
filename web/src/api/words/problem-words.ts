// Refusals in words, by their code. The server's own English sentence often says more and stands beside these.
import type { ErrorCode } from "@safelight/contract";
import { inLanguage } from "../../ui/language.ts";

export interface ProblemWords {
  /** What happened. */
  title: string;
  /** What to do about it. */
  action: string;
}

const en: Readonly<Record<ErrorCode, ProblemWords>> = {
  malformed_json: { title: "The server could not read the request.", action: "Reload the page and try again." },
  invalid_api_key: { title: "The API key is wrong.", action: "Check the key, or ask the operator for a new one." },
  invalid_password: { title: "The password is wrong or missing.", action: "Enter the access password." },
  session_required: { title: "There is no session.", action: "Reload the page to start one." },
  session_expired: {
    title: "The session has ended.",
    action: "Reload the page to start a new one; nothing is lost.",
  },
  cors_origin_blocked: {
    title: "This address may not call the server.",
    action: "Ask the operator to allow this page's address.",
  },
  host_not_allowed: {
    title: "The server does not answer under this host name.",
    action: "Use the address the operator gave you.",
  },
  not_found: { title: "There is nothing here.", action: "Go back and try again; it may have been deleted." },
  task_not_found: { title: "There is no such task.", action: "It may have been deleted in another tab." },
  proxy_target_invalid: {
    title: "There is no such workspace.",
    action: "Ask the operator whether it was removed or switched off.",
  },
  method_not_allowed: { title: "The server does not take this request.", action: "Reload the page and try again." },
  idempotency_conflict: { title: "This was sent before, with other settings.", action: "Send it again." },
  task_failed: { title: "The task failed and has no result.", action: "Read the reason, then run it again." },
  task_not_ended: { title: "The task is still running.", action: "Wait for it to end, or cancel it first." },
  result_gone: { title: "The file is gone.", action: "Make it again: settings and seed are kept." },
  payload_too_large: { title: "This is too large to send.", action: "Choose a smaller picture, or fewer of them." },
  unsupported_media_type: { title: "The server does not take this type.", action: "Choose a PNG, JPEG or WebP." },
  range_not_satisfiable: { title: "The file has no such part.", action: "Reload the page and try again." },
  content_refused: { title: "The content was refused.", action: "Change the prompt or the pictures and try again." },
  invalid_image: { title: "A picture cannot be used.", action: "Choose an intact PNG, JPEG or WebP." },
  parameter_locked: { title: "A setting of this model is fixed.", action: "Leave it as it is." },
  unknown_model: { title: "There is no such model.", action: "Choose another one." },
  unsupported_mode: { title: "The model does not have this mode.", action: "Choose another mode or model." },
  validation_failed: { title: "Something does not fit.", action: "Correct what is marked." },
  task_not_ready: { title: "There is nothing to show yet.", action: "Wait for the task to end." },
  rate_limited: { title: "That was too often.", action: "Wait a minute and try again." },
  internal: {
    title: "Something went wrong on the server.",
    action: "Try again. If it happens again, give the operator the reference.",
  },
  worker_unreachable: {
    title: "The workspace does not answer.",
    action: "Try again later, or ask the operator to check it.",
  },
  auth_unavailable: {
    title: "Access cannot be checked at the moment.",
    action: "Try again shortly. If it lasts, tell the operator.",
  },
  no_workers: {
    title: "Nothing here can run this model and mode.",
    action: "Choose another model, or ask the operator to add a workspace for this one.",
  },
  queue_full: { title: "The queue is full.", action: "Try again in a moment; your settings stay." },
  storage_unavailable: {
    title: "The server cannot use its storage at the moment.",
    action: "Try again in a minute. Your pictures are safe.",
  },
};

const ru: typeof en = {
  malformed_json: { title: "Сервер не смог прочесть запрос.", action: "Перезагрузите страницу и повторите." },
  invalid_api_key: { title: "Неверный ключ API.", action: "Проверьте ключ или попросите у оператора новый." },
  invalid_password: { title: "Пароль неверен или не указан.", action: "Введите пароль доступа." },
  session_required: { title: "Сеанса нет.", action: "Перезагрузите страницу, чтобы начать его." },
  session_expired: {
    title: "Сеанс окончен.",
    action: "Перезагрузите страницу, чтобы начать новый; всё сохранено.",
  },
  cors_origin_blocked: {
    title: "С этого адреса нельзя обращаться к серверу.",
    action: "Попросите оператора разрешить адрес страницы.",
  },
  host_not_allowed: {
    title: "Под этим именем сервер не отвечает.",
    action: "Откройте адрес, который дал оператор.",
  },
  not_found: { title: "Здесь ничего нет.", action: "Вернитесь и повторите; возможно, это уже удалено." },
  task_not_found: { title: "Такой задачи нет.", action: "Возможно, её удалили в другой вкладке." },
  proxy_target_invalid: {
    title: "Такой площадки нет.",
    action: "Спросите оператора, не удалена ли она и не отключена ли.",
  },
  method_not_allowed: { title: "Сервер не принимает такой запрос.", action: "Перезагрузите страницу и повторите." },
  idempotency_conflict: { title: "Это уже отправлено с другими настройками.", action: "Отправьте ещё раз." },
  task_failed: {
    title: "Задача не удалась, результата нет.",
    action: "Прочтите причину и запустите задачу снова.",
  },
  task_not_ended: { title: "Задача ещё идёт.", action: "Дождитесь конца или отмените её." },
  result_gone: { title: "Файла больше нет.", action: "Сделайте его снова: настройки и зерно сохранены." },
  payload_too_large: {
    title: "Это слишком много для отправки.",
    action: "Возьмите картинку поменьше или меньше картинок.",
  },
  unsupported_media_type: { title: "Сервер не принимает такой тип.", action: "Выберите PNG, JPEG или WebP." },
  range_not_satisfiable: { title: "В файле нет такой части.", action: "Перезагрузите страницу и повторите." },
  content_refused: { title: "Содержание отклонено.", action: "Измените описание или картинки и повторите." },
  invalid_image: { title: "Картинка не подходит.", action: "Выберите неповреждённый PNG, JPEG или WebP." },
  parameter_locked: { title: "Эта настройка у модели постоянна.", action: "Оставьте её как есть." },
  unknown_model: { title: "Такой модели нет.", action: "Выберите другую." },
  unsupported_mode: { title: "У модели нет такого режима.", action: "Выберите другой режим или модель." },
  validation_failed: { title: "Что-то не подходит.", action: "Исправьте отмеченное." },
  task_not_ready: { title: "Показывать пока нечего.", action: "Дождитесь конца задачи." },
  rate_limited: { title: "Слишком часто.", action: "Подождите минуту и повторите." },
  internal: {
    title: "На сервере что-то сломалось.",
    action: "Повторите. Если не поможет, передайте оператору номер запроса.",
  },
  worker_unreachable: {
    title: "Площадка не отвечает.",
    action: "Повторите позже или попросите оператора проверить её.",
  },
  auth_unavailable: {
    title: "Сейчас доступ не проверить.",
    action: "Повторите чуть позже. Если не пройдёт, скажите оператору.",
  },
  no_workers: {
    title: "Эту модель в этом режиме здесь некому считать.",
    action: "Выберите другую модель или попросите оператора добавить площадку для этой.",
  },
  queue_full: { title: "Очередь полна.", action: "Повторите чуть позже; настройки останутся." },
  storage_unavailable: {
    title: "Хранилище сервера сейчас не отвечает.",
    action: "Повторите через минуту. Картинки целы.",
  },
};

const words = inLanguage({ en, ru });

/** What a refusal says, in the language in force; null for a code that a newer server has and this page does not know. */
export function problemWords(code: string): ProblemWords | null {
  return (words as Readonly<Record<string, ProblemWords | undefined>>)[code] ?? null;
}
