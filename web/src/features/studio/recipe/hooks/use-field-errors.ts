import { createContext, useContext } from "react";

/** What the server refused of the last submission, by field, until the field is changed. */
export interface FieldErrors {
  /** The first reason against this field or anything inside it; null when there is none. */
  errorOn: (field: string) => string | null;
  clear: (field: string) => void;
}

export const FieldErrorsContext = createContext<FieldErrors>({ errorOn: () => null, clear: () => {} });

export function useFieldErrors(): FieldErrors {
  return useContext(FieldErrorsContext);
}

/** Whether a refused field, `list[1].strength` for one, is this field or lies inside it. */
export function belongsTo(refused: string, field: string): boolean {
  return refused === field || refused.startsWith(`${field}[`) || refused.startsWith(`${field}.`);
}
