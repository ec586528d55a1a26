import { resumeChanges } from "../secrets/change-secret.ts";
import { checkEnvironmentMark } from "../secrets/environment-mark.ts";
import { type BookParts, SecretBook } from "../secrets/secret-book.ts";
import { adoptSessions } from "./kept-tokens.ts";

/**
 * The secrets of a start: data of another environment is refused, what was cut off is ended, sessions of an earlier release are taken
 * over. `reencrypt` encrypts anew what an older key has encrypted and answers how many rows that were. Throws a StartupError.
 */
export async function openSecretBook(parts: BookParts, reencrypt: SecretBook["reencrypt"]): Promise<SecretBook> {
  await checkEnvironmentMark(parts.context);
  const book = await SecretBook.open(parts);
  book.reencrypt = reencrypt;
  await resumeChanges(book);
  await adoptSessions(parts.context, parts.tokens, book.found("session-secret")?.isNew === true);
  return book;
}
