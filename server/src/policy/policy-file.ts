/**
 * The rules that an operator adds: a JSON file, looked at before every judgement, so that a change is in force with the next request. A
 * file that is wrong keeps the server from starting; while it runs the rules of the last good one stay, and the log says what is wrong.
 */
import { createHash } from "node:crypto";
import { readFileSync, type Stats, statSync } from "node:fs";
import { StartupError } from "../errors.ts";
import type { Log } from "../log.ts";
import { wordsOfTerm } from "./readings.ts";
import { type PolicyField, type PolicyRule, ReadyRule } from "./rules.ts";

const most = { bytes: 262_144, rules: 200, terms: 5000, term: 100, message: 300 };
const fields: readonly PolicyField[] = ["prompt", "negative_prompt"];

export interface ParsedPolicy {
  readonly rules: readonly PolicyRule[];
  /** Read over by every rule, the built-in ones included. */
  readonly exceptions: readonly string[];
}

/** Throws an Error whose text names the place in the file. */
export function parsePolicy(text: string): ParsedPolicy {
  if (Buffer.byteLength(text) > most.bytes) throw new Error(`is larger than ${most.bytes} bytes`);
  const file = objectOf(parseJson(text), "the file", ["rules", "exceptions"]);
  const listed = file.rules ?? [];
  if (!Array.isArray(listed) || listed.length > most.rules)
    throw new Error(`rules: must be a list of at most ${most.rules}`);
  const exceptions = file.exceptions === undefined ? [] : termsOf(file.exceptions, "exceptions", true);
  const rules = listed.flatMap((entry: unknown, index) => ruleOf(entry, `rules[${index}]`));
  const count = rules.reduce((sum, rule) => sum + rule.all.reduce((more, part) => more + part.terms.length, 0), 0);
  if (count > most.terms) throw new Error(`has more than ${most.terms} terms`);
  return { rules, exceptions };
}

function ruleOf(entry: unknown, place: string): PolicyRule[] {
  const rule = objectOf(entry, place, ["name", "any", "all", "except", "fields", "message"]);
  const { name, message = null } = rule;
  if (typeof name !== "string" || !/^[a-z0-9-]{1,64}$/.test(name))
    throw new Error(`${place}.name: must be 1 to 64 of a-z, 0-9 and -`);
  if (message !== null && (typeof message !== "string" || message.length > most.message || message.trim() === ""))
    throw new Error(`${place}.message: must be a text of at most ${most.message} characters`);
  if ((rule.any === undefined) === (rule.all === undefined))
    throw new Error(`${place}: must have either any (a list of terms) or all (a list of such lists)`);
  const lists = rule.any === undefined ? rule.all : [rule.any];
  if (!Array.isArray(lists) || lists.length === 0 || lists.length > 5)
    throw new Error(`${place}.all: must be 1 to 5 lists of terms`);
  const parts = lists.map((terms: unknown, index) => termsOf(terms, `${place} (list ${index + 1})`, false));
  const except = rule.except === undefined ? [] : termsOf(rule.except, `${place}.except`, true);
  return fieldsOf(rule.fields, place).map((field) => ({
    name,
    message,
    except,
    all: parts.map((terms) => ({ field, terms })),
  }));
}

function fieldsOf(value: unknown, place: string): readonly PolicyField[] {
  if (value === undefined) return ["prompt"];
  const known = Array.isArray(value) ? fields.filter((field) => value.includes(field)) : [];
  if (known.length === 0 || known.length !== (value as unknown[]).length)
    throw new Error(`${place}.fields: must be a list of ${fields.join(", ")}`);
  return known;
}

function termsOf(value: unknown, place: string, mayBeEmpty: boolean): readonly string[] {
  if (!Array.isArray(value) || (value.length === 0 && !mayBeEmpty))
    throw new Error(`${place}: must be a list of terms`);
  for (const term of value as unknown[]) {
    // What no word is left of would match nothing, and whoever wrote it would believe to be protected.
    const isTerm =
      typeof term === "string" && term.length <= most.term && wordsOfTerm(term).some((word) => word.length > 1);
    if (!isTerm) throw new Error(`${place}: each must be a word or a few, of at most ${most.term} characters`);
  }
  return value as string[];
}

function objectOf(value: unknown, place: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error(`${place}: must be an object`);
  const strange = Object.keys(value).find((name) => !known.includes(name));
  if (strange !== undefined)
    throw new Error(`${place}: has ${JSON.stringify(strange)}, which is none of ${known.join(", ")}`);
  return value as Record<string, unknown>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What the parser says quotes the file.
    throw new Error("is not JSON");
  }
}

export interface PolicyState {
  /** Rules of the file, of its last good version. */
  readonly rules: number;
  /** What is wrong with the file as it stands now; null when it is in force. */
  readonly fault: string | null;
}

/** The rules in force: those built in, and those of the file if there is one. */
export class PolicyRules {
  readonly #builtIn: readonly PolicyRule[];
  readonly #path: string | null;
  readonly #log: Log;
  #ready: readonly ReadyRule[] = [];
  #seen = "";
  #digest = "";
  #state: PolicyState = { rules: 0, fault: null };

  /** Throws a StartupError where the file cannot be used. */
  constructor(builtIn: readonly PolicyRule[], path: string | null, log: Log) {
    this.#builtIn = builtIn;
    this.#path = path;
    this.#log = log;
    this.#prepare({ rules: [], exceptions: [] });
    if (path === null) return;
    const fault = this.#read(path);
    if (fault !== null) throw new StartupError(`CONTENT_POLICY_FILE: ${path} ${fault}.`);
  }

  get state(): PolicyState {
    return this.#state;
  }

  /** Reads the file again if it has changed. */
  current(): readonly ReadyRule[] {
    if (this.#path !== null) {
      const stamp = stampOf(this.#path);
      if (stamp !== this.#seen) this.reload(stamp);
    }
    return this.#ready;
  }

  /** Reads the file, changed or not; a bad one is told once to the log. */
  reload(stamp: string | null = null): void {
    if (this.#path === null) return;
    const before = this.#digest;
    const fault = this.#read(this.#path);
    this.#seen = stamp ?? this.#seen;
    this.#state = { ...this.#state, fault };
    const facts = { file: this.#path, rules: this.#state.rules, sha256: this.#digest };
    if (fault !== null)
      this.#log.error("the content policy file is not used; the rules before it stay", { ...facts, fault });
    else if (this.#digest !== before) this.#log.warn("the content policy has changed", facts);
  }

  /** What is wrong with it; null when its rules are in force. */
  #read(path: string): string | null {
    try {
      // Looked at before it is read: a change in between is found by the next look.
      this.#seen = stampOf(path);
      const text = readFileSync(path, "utf8");
      const parsed = parsePolicy(text);
      this.#prepare(parsed);
      this.#digest = createHash("sha256").update(text).digest("hex");
      this.#state = { rules: new Set(parsed.rules.map(({ name }) => name)).size, fault: null };
      return null;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === undefined ? (error as Error).message : `cannot be read (${code})`;
    }
  }

  #prepare({ rules, exceptions }: ParsedPolicy): void {
    this.#ready = [...this.#builtIn, ...rules].map(
      (rule) => new ReadyRule({ ...rule, except: [...rule.except, ...exceptions] }),
    );
  }
}

/** Tells one version of a file from the next. */
function stampOf(path: string): string {
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch {
    return "unreadable";
  }
  return found === undefined ? "none" : `${found.dev} ${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`;
}
