// Words of what a check of the audit log came to.
import type { BrokenCheckpointCode, BrokenRowCode } from "@safelight/contract";
import { inLanguage, plural } from "../../../ui/language.ts";

const en = {
  failed: "The log was not checked",
  intact: "Nothing was changed",
  broken: "The log is not what was written",
  rows: (count: number) => plural(count, { one: "# row", other: "# rows" }),
  checkpoints: (count: number) => plural(count, { one: "# signature", other: "# signatures" }),
  held: (rows: string, checkpoints: string) => `${rows} and ${checkpoints} hold.`,
  row: (id: string, what: string) => `Row ${id}: ${what}`,
  checkpoint: (sequence: string, what: string) => `Signature ${sequence}: ${what}`,
  rowCodes: {
    unchained: "it has no place in the chain.",
    out_of_order: "its number is not the next one.",
    changed: "it is not what was written.",
    not_linked: "it does not follow from the row before.",
    not_as_signed: "a signature says something else of it.",
    missing: "it is missing.",
    surplus: "it came behind the end of the log.",
  } as Record<BrokenRowCode, string>,
  checkpointCodes: {
    missing: "it is missing.",
    not_linked: "it does not follow from the one before.",
    unknown_key: "it was made with a key that is not known here.",
    signature: "it is false.",
    not_kept: "it is not the one that was kept elsewhere.",
  } as Record<BrokenCheckpointCode, string>,
  limits: "What a check cannot show",
  limitCodes: {
    key_holder:
      "Whoever has the database and the signing key can write a new log. Only signatures kept elsewhere show it.",
    older_copy:
      "An older copy of the database is intact in itself. Only a signature kept elsewhere shows what is missing.",
    after_last_checkpoint: "The newest rows are not signed yet.",
    pruned: "Rows were removed at the end of their time. What they said is known only to earlier downloads.",
  } as Record<string, string>,
};

const ru: typeof en = {
  failed: "Аудит не проверен",
  intact: "Ничего не изменено",
  broken: "Аудит не тот, что был записан",
  rows: (count) => plural(count, { one: "# строка", few: "# строки", many: "# строк", other: "# строки" }),
  checkpoints: (count) => plural(count, { one: "# подпись", few: "# подписи", many: "# подписей", other: "# подписи" }),
  held: (rows, checkpoints) => `Верны: ${rows}, ${checkpoints}.`,
  row: (id, what) => `Строка ${id}: ${what}`,
  checkpoint: (sequence, what) => `Подпись ${sequence}: ${what}`,
  rowCodes: {
    unchained: "у неё нет места в цепочке.",
    out_of_order: "её номер не следующий по порядку.",
    changed: "она не та, что была записана.",
    not_linked: "она не следует из предыдущей.",
    not_as_signed: "подпись говорит о ней другое.",
    missing: "её нет.",
    surplus: "она стоит после конца аудита.",
  },
  checkpointCodes: {
    missing: "её нет.",
    not_linked: "она не следует из предыдущей.",
    unknown_key: "она сделана ключом, которого здесь не знают.",
    signature: "она ложна.",
    not_kept: "она не та, что хранится в другом месте.",
  },
  limits: "Чего проверка не покажет",
  limitCodes: {
    key_holder:
      "Владеющий базой и ключом подписи может написать аудит заново. Это видно лишь по подписям, хранимым отдельно.",
    older_copy: "Старая копия базы сама по себе цела. Недостающее видно лишь по подписи, хранимой отдельно.",
    after_last_checkpoint: "Новейшие строки ещё не подписаны.",
    pruned: "Строки удалены по истечении срока. Их содержание осталось только в прежних выгрузках.",
  },
};

export const strings = inLanguage({ en, ru });
