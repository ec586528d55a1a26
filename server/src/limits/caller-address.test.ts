import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countedAddress, countedCaller } from "./caller-address.ts";

describe("FR-018: what a limit per address counts by", () => {
  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["203.0.113.9:4711", "203.0.113.9"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["::FFFF:cb00:7109", "203.0.113.9"],
    ["0:0:0:0:0:ffff:203.0.113.9", "203.0.113.9"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:0DB8:0:0:ffff:ffff:ffff:ffff", "2001:db8:0:0::/64"],
    ["2001:db8:0:1::1", "2001:db8:0:1::/64"],
    ["[2001:db8::1]:443", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["unknown", null],
    ["", null],
    ["1.2.3", null],
    ["_hidden", null],
    ["2001:db8::1]", null],
  ])("%s is %s", (text, expected) => expect(countedAddress(text)).toBe(expected));

  it("all addresses of a /64 are one, those of another are not", () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(
        fc.array(group, { minLength: 8, maxLength: 8 }),
        fc.array(group, { minLength: 4, maxLength: 4 }),
        (groups, rest) => {
          fc.pre(groups.slice(0, 5).some((value) => value !== 0));
          const text = (numbers: number[]) => numbers.map((value) => value.toString(16)).join(":");
          const other = [...groups.slice(0, 4), ...rest];
          expect(countedAddress(text(other))).toBe(countedAddress(text(groups)));
          const foreign = groups.with(3, (groups[3] ?? 0) ^ 1);
          expect(countedAddress(text(foreign))).not.toBe(countedAddress(text(groups)));
        },
      ),
      { seed: 3, numRuns: 300 },
    );
  });

  it("a hop that is no address counts by who sent it", () => {
    expect(countedCaller(["10.0.0.1", "203.0.113.9"])).toBe("203.0.113.9");
    expect(countedCaller(["10.0.0.1", "garbage"])).toBe("10.0.0.1");
    expect(countedCaller([undefined])).toBe("unknown");
  });
});
