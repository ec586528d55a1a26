/**
 * Compares two JSON Schemas from the side of a client that was written for the first one. What it *sends* must still be
 * accepted, so a request schema may only widen. What it *receives* must still be what it expects, so a response schema may
 * only gain: fields and, by the contract's own rule, further values of a list of codes or states.
 */
import { at, entriesOf, textsOf } from "./additive-json.ts";

type Direction = "sent" | "received";

/** `up`: a greater value accepts less. */
const limits = [
  ["minimum", "up"],
  ["exclusiveMinimum", "up"],
  ["minLength", "up"],
  ["minItems", "up"],
  ["minProperties", "up"],
  ["minContains", "up"],
  ["maximum", "down"],
  ["exclusiveMaximum", "down"],
  ["maxLength", "down"],
  ["maxItems", "down"],
  ["maxProperties", "down"],
  ["maxContains", "down"],
] as const;

/** Rules that cannot be compared by size: any change or addition may refuse what was taken. */
const opaque = ["pattern", "format", "multipleOf", "const", "not", "contains", "propertyNames", "uniqueItems"] as const;

export class SchemaComparison {
  readonly #previous: unknown;
  readonly #next: unknown;
  readonly #found: string[];
  readonly #seen = new Set<string>();

  /** Schemas of the two documents may refer to the documents' components; what breaks is added to `found`. */
  constructor(previous: unknown, next: unknown, found: string[]) {
    this.#previous = previous;
    this.#next = next;
    this.#found = found;
  }

  /** Part of a request. */
  sent(place: string, before: unknown, after: unknown): void {
    this.#compare(place, before, after, "sent");
  }

  /** Part of an answer. */
  received(place: string, before: unknown, after: unknown): void {
    this.#compare(place, before, after, "received");
  }

  #compare(where: string, before: unknown, after: unknown, direction: Direction): void {
    if (before === undefined) return;
    const names = [at(before, "$ref"), at(after, "$ref")];
    const shared = names[0] !== undefined && names[0] === names[1];
    // A schema with a name is compared once, not once for each of the many places that refer to it.
    const key = `${direction} ${shared ? "" : where} ${names.join(" ")}`;
    if (names.some((name) => name !== undefined) && this.#seen.has(key)) return;
    this.#seen.add(key);
    const place = shared ? `${nameOf(names[0])}, ${direction}` : where;
    const was = resolved(this.#previous, before);
    const now = resolved(this.#next, after);
    this.#types(place, was, now, direction);
    this.#values(place, was, now, direction);
    this.#properties(place, was, now, direction);
    if (direction === "sent") this.#rules(place, was, now);
    this.#alternatives(place, was, now, direction);
    this.#compare(`${place}[]`, at(was, "items"), at(now, "items"), direction);
    const values = at(was, "additionalProperties");
    if (typeof values === "object") this.#compare(`${place}.*`, values, at(now, "additionalProperties"), direction);
  }

  #types(place: string, was: unknown, now: unknown, direction: Direction): void {
    const [before, after] = [textsOf(at(was, "type")), textsOf(at(now, "type"))];
    if (direction === "sent") {
      if (after.length === 0) return;
      const wanted = before.length === 0 ? ["anything"] : before;
      for (const type of wanted) if (!covers(after, type)) this.#found.push(`${place}: ${type} is no longer taken`);
      return;
    }
    if (before.length === 0) return;
    const possible = after.length === 0 ? ["anything"] : after;
    for (const type of possible) if (!covers(before, type)) this.#found.push(`${place}: may now be ${type}`);
    for (const type of before)
      if (type !== "null" && type !== "number" && !covers(possible, type))
        this.#found.push(`${place}: is no longer ${type}`);
  }

  #values(place: string, was: unknown, now: unknown, direction: Direction): void {
    const [before, after] = [valuesOf(was), valuesOf(now)];
    if (after === null) {
      if (before !== null && direction === "received" && at(now, "type") === undefined)
        this.#found.push(`${place}: the list of values is gone`);
      return;
    }
    if (before === null) {
      if (direction === "sent") this.#found.push(`${place}: takes only a list of values now`);
      return;
    }
    for (const value of before) if (!after.includes(value)) this.#found.push(`${place}: ${value} is gone`);
  }

  #properties(place: string, was: unknown, now: unknown, direction: Direction): void {
    const [mustHave, mustHaveNow] = [textsOf(at(was, "required")), textsOf(at(now, "required"))];
    for (const [name, schema] of entriesOf(at(was, "properties"))) {
      const kept = at(now, "properties", name);
      const here = `${place}.${name}`;
      if (kept === undefined) this.#found.push(`${here}: the field is gone`);
      else this.#compare(here, schema, kept, direction);
      if (direction === "received" && kept !== undefined && mustHave.includes(name) && !mustHaveNow.includes(name))
        this.#found.push(`${here}: may now be missing`);
    }
    if (direction === "received") return;
    for (const name of mustHaveNow)
      if (!mustHave.includes(name)) this.#found.push(`${place}.${name}: is newly required`);
    if (at(now, "additionalProperties") === false && at(was, "additionalProperties") !== false)
      this.#found.push(`${place}: further fields are newly refused`);
  }

  #rules(place: string, was: unknown, now: unknown): void {
    for (const [keyword, direction] of limits) {
      const [before, after] = [at(was, keyword), at(now, keyword)];
      if (typeof after !== "number") continue;
      const narrower = typeof before !== "number" || (direction === "up" ? after > before : after < before);
      const old = typeof before === "number" ? before : "none";
      if (narrower) this.#found.push(`${place}: ${keyword} changed from ${old} to ${after}`);
    }
    for (const keyword of opaque) {
      const [before, after] = [JSON.stringify(at(was, keyword)), JSON.stringify(at(now, keyword))];
      if (keyword !== "const" && after !== undefined && after !== before)
        this.#found.push(`${place}: ${keyword} changed from ${before ?? "none"} to ${after}`);
    }
    const known = new Set(conditions(was));
    for (const condition of conditions(now))
      if (!known.has(condition)) this.#found.push(`${place}: a rule was added: ${condition.slice(0, 200)}`);
  }

  /** Alternatives are told apart by what they refer to, else by their title, else by their place. */
  #alternatives(place: string, was: unknown, now: unknown, direction: Direction): void {
    for (const keyword of ["oneOf", "anyOf"]) {
      const [before, after] = [named(at(was, keyword)), named(at(now, keyword))];
      for (const [name, schema] of before) {
        const kept = after.get(name);
        if (kept === undefined) this.#found.push(`${place}: alternative ${name} is gone`);
        else this.#compare(`${place}(${name})`, schema, kept, direction);
      }
      const [widened, introduced] = [
        direction === "received" && before.size > 0,
        direction === "sent" && before.size === 0,
      ];
      for (const name of after.keys())
        if (!before.has(name) && (widened || introduced)) this.#found.push(`${place}: alternative ${name} was added`);
    }
    if (direction === "sent") return;
    for (const [index, part] of entriesOf(at(was, "allOf")))
      this.#compare(place, part, at(now, "allOf", index) ?? {}, direction);
  }
}

function resolved(document: unknown, schema: unknown): unknown {
  const reference = at(schema, "$ref");
  if (typeof reference !== "string") return schema;
  return at(document, ...reference.replace(/^#\//, "").split("/"));
}

function nameOf(reference: unknown): string {
  return String(reference).replace("#/components/schemas/", "");
}

function covers(types: readonly string[], type: string): boolean {
  return types.includes(type) || (type === "integer" && types.includes("number"));
}

function valuesOf(schema: unknown): string[] | null {
  const list = at(schema, "enum");
  if (Array.isArray(list)) return list.map((value: unknown) => JSON.stringify(value));
  const value = at(schema, "const");
  return value === undefined ? null : [JSON.stringify(value)];
}

function named(alternatives: unknown): Map<string, unknown> {
  return new Map(
    entriesOf(alternatives).map(([index, schema]) => {
      const name = at(schema, "$ref") ?? at(schema, "title") ?? index;
      return [nameOf(name), schema];
    }),
  );
}

/** Rules over the whole object, each as text. */
function conditions(schema: unknown): string[] {
  const own = { if: at(schema, "if"), then: at(schema, "then"), else: at(schema, "else") };
  const whole = Object.values(own).every((part) => part === undefined) ? [] : [JSON.stringify(own)];
  return [...entriesOf(at(schema, "allOf")).map(([, rule]) => JSON.stringify(rule)), ...whole];
}
