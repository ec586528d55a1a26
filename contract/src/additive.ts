/**
 * The API grows by addition only: what a client of the last release sends is still taken, what it reads is still there.
 * Compares two OpenAPI documents as this project writes them. Additions (routes, optional fields, values, codes) pass.
 */

import { at, entriesOf, textsOf } from "./additive-json.ts";
import { SchemaComparison } from "./additive-schema.ts";

/** Sentences about everything in `previous` that `next` took away or narrowed, sorted; empty when nothing was. */
export function findBreakingChanges(previous: unknown, next: unknown): string[] {
  const found: string[] = [];
  const schemas = new SchemaComparison(previous, next, found);
  for (const [path, methods] of entriesOf(at(previous, "paths"))) {
    for (const [method, before] of entriesOf(methods)) {
      const name = `${method.toUpperCase()} ${path}`;
      const after = at(next, "paths", path, method);
      if (after === undefined) found.push(`${name}: the route is gone`);
      else compareOperation(name, before, after, schemas, found);
    }
  }
  return [...new Set(found)].sort();
}

function compareOperation(
  name: string,
  before: unknown,
  after: unknown,
  schemas: SchemaComparison,
  found: string[],
): void {
  if (at(before, "operationId") !== at(after, "operationId"))
    found.push(
      `${name}: operationId changed from ${String(at(before, "operationId"))} to ${String(at(after, "operationId"))}`,
    );
  compareAccess(name, before, after, found);
  compareParameters(name, before, after, schemas, found);
  compareBody(name, before, after, schemas, found);
  compareResponses(name, before, after, schemas, found);
}

/** Each way in that was there must still be there; an empty list lets everyone in. */
function compareAccess(name: string, before: unknown, after: unknown, found: string[]): void {
  const ways = (operation: unknown): string[] =>
    entriesOf(at(operation, "security")).map(([, way]) => JSON.stringify(way));
  const now = ways(after);
  if (now.length === 0) return;
  const was = ways(before);
  if (was.length === 0) found.push(`${name}: now needs a credential`);
  for (const way of was) if (!now.includes(way)) found.push(`${name}: no longer lets in by ${way}`);
}

function compareParameters(
  name: string,
  before: unknown,
  after: unknown,
  schemas: SchemaComparison,
  found: string[],
): void {
  const byName = (operation: unknown): Map<string, unknown> =>
    new Map(
      entriesOf(at(operation, "parameters")).map(([, item]) => [
        `${String(at(item, "in"))} parameter ${String(at(item, "name"))}`,
        item,
      ]),
    );
  const was = byName(before);
  const now = byName(after);
  for (const [key, parameter] of was) {
    const kept = now.get(key);
    if (kept === undefined) found.push(`${name}: ${key} is gone`);
    else schemas.sent(`${name}: ${key}`, at(parameter, "schema"), at(kept, "schema"));
  }
  for (const [key, parameter] of now) {
    const required = at(was.get(key), "required") === true;
    if (at(parameter, "required") === true && !required) found.push(`${name}: ${key} is newly required`);
  }
}

function compareBody(name: string, before: unknown, after: unknown, schemas: SchemaComparison, found: string[]): void {
  const was = at(before, "requestBody");
  const now = at(after, "requestBody");
  if (at(now, "required") === true && at(was, "required") !== true) found.push(`${name}: a body is newly required`);
  for (const [type, media] of entriesOf(at(was, "content"))) {
    const kept = at(now, "content", type);
    if (kept === undefined) found.push(`${name}: a body of ${type} is no longer taken`);
    else schemas.sent(`${name}: body`, at(media, "schema"), at(kept, "schema"));
  }
}

function compareResponses(
  name: string,
  before: unknown,
  after: unknown,
  schemas: SchemaComparison,
  found: string[],
): void {
  for (const [status, was] of entriesOf(at(before, "responses"))) {
    const now = at(after, "responses", status);
    if (now === undefined) {
      const codes = codesOf(was);
      found.push(`${name}: response ${status}${codes.length === 0 ? "" : ` (${codes.join(", ")})`} is gone`);
      continue;
    }
    for (const header of entriesOf(at(was, "headers")))
      if (at(now, "headers", header[0]) === undefined)
        found.push(`${name}: header ${header[0]} of response ${status} is gone`);
    for (const [type, media] of entriesOf(at(was, "content"))) {
      const kept = at(now, "content", type);
      if (kept === undefined) found.push(`${name}: response ${status} is no longer ${type}`);
      else schemas.received(`${name}: response ${status}`, at(media, "schema"), at(kept, "schema"));
    }
    for (const [event, schema] of entriesOf(at(was, "x-events"))) {
      const kept = at(now, "x-events", event);
      if (kept === undefined) found.push(`${name}: event ${event} is gone`);
      else schemas.received(`${name}: event ${event}`, schema, kept);
    }
  }
}

function codesOf(response: unknown): string[] {
  const rules = entriesOf(at(response, "content", "application/problem+json", "schema", "allOf"));
  return rules.flatMap(([, rule]) => textsOf(at(rule, "properties", "code", "enum")));
}
