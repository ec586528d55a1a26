/** What is said about one field of a refused request. */

export const fieldErrorCodes = [
  "required",
  "unknown_parameter",
  "wrong_mode",
  "wrong_type",
  "mismatch",
  "locked",
  "below_minimum",
  "above_maximum",
  "not_a_step",
  "not_an_option",
  "too_short",
  "too_long",
  "blank",
  "forbidden_character",
  "pattern",
  "duplicate",
  "out_of_range",
] as const;

export type FieldErrorCode = (typeof fieldErrorCodes)[number];

/** `field` is written like `arbitrary_frames[1].image`. The page translates by `code`; `message` is an English sentence. */
export interface FieldError {
  readonly field: string;
  readonly code: FieldErrorCode;
  readonly message: string;
}

/** A refused body may be 64 MiB of mistakes: what is reported stays small. */
export const reportedErrors = 50;
const shownName = 80;

/** A name the caller made up, short enough to be answered back. */
export function shorten(name: string): string {
  return name.length <= shownName ? name : `${name.slice(0, shownName)}…`;
}
