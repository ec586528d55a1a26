import fc from "fast-check";
import { expect, test } from "vitest";
import { LineReader, Redactor } from "./redact-output.ts";

const secret = "as-the-secret-of-this-account";
const key = "a+key/with=odd.characters$&";
const redactor = new Redactor([secret, key], ["/data/runs/1", "/data/runs/1/source"]);

function linesOf(chunks: readonly (string | Buffer)[], by = redactor): string[] {
  const lines: string[] = [];
  const reader = new LineReader(by, (line) => lines.push(line));
  for (const chunk of chunks) reader.write(Buffer.from(chunk));
  reader.end();
  return lines;
}

test("lines come whole, however they were cut, without colours, controls and empty ones", () => {
  const text =
    "\u001b[32m✓\u001b[0m Created\r\n\r\n  50 %\r 100 %\rdone\u0007\n\u001b]8;;https://x.example\u0007link\u001b]8;;\u0007 end";
  const expected = ["✓ Created", "  50 %", " 100 %", "done", "link end"];
  expect(linesOf([text])).toEqual(expected);
  for (const byte of Buffer.from(text)) expect(byte).toBeLessThan(256);
  expect(linesOf([...Buffer.from(text)].map((byte) => Buffer.from([byte])))).toEqual(expected);
});

test("secrets go by value, tokens by their form, private folders become a dot", () => {
  expect(linesOf([`a ${secret} b ${key} c`])).toEqual(["a [redacted] b [redacted] c"]);
  expect(linesOf(["token ak-0123456789 and wk-abcdefghij of somebody"])).toEqual([
    "token [redacted] and [redacted] of somebody",
  ]);
  expect(linesOf(["task-12345678 and ask-me"])).toEqual(["task-12345678 and ask-me"]);
  expect(linesOf(["File /data/runs/1/source/app.py, in /data/runs/1/home"])).toEqual(["File ./app.py, in ./home"]);
});

test("a secret that colours run through is found all the same", () => {
  expect(linesOf([`x ${secret.slice(0, 5)}\u001b[1m${secret.slice(5)} y`])).toEqual(["x [redacted] y"]);
});

test("SC-008: no cut of the output and no length of a line lets a secret through", () => {
  const filler = fc.string({ maxLength: 1200 });
  fc.assert(
    fc.property(
      fc.array(fc.oneof(filler, fc.constant(secret), fc.constant(key), fc.constant("\n")), { maxLength: 30 }),
      fc.array(fc.nat(4000), { maxLength: 8 }),
      (parts, cuts) => {
        const bytes = Buffer.from(parts.join(""));
        const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        const text = linesOf(chunks).join("\n");
        expect(text.includes(secret) || text.includes(key)).toBe(false);
        // A line that is cut off must not end in the beginning of a secret either.
        for (const line of text.split("\n")) expect(line.endsWith(`${secret.slice(0, 12)} …`)).toBe(false);
        for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(1002);
      },
    ),
    { seed: 20_260_301, numRuns: 300 },
  );
});

test("a line without an end fills no memory: its beginning is kept, the rest dropped", () => {
  const lines = linesOf([
    ..."x"
      .repeat(40)
      .split("")
      .map(() => "y".repeat(10_000)),
    secret,
    "\nnext\n",
  ]);
  expect(lines).toEqual([`${"y".repeat(1000)} …`, "next"]);
});
