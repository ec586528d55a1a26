import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isInNetworks, kindOf } from "./address.ts";

const seed = { seed: 20_260_401, numRuns: 2_000 };

/** Node's own judgement of ranges, as a second opinion. */
function ranges(...list: string[]): BlockList {
  const blocked = new BlockList();
  for (const entry of list) {
    const [address = "", length = "0"] = entry.split("/");
    blocked.addSubnet(address, Number(length), isIP(address) === 6 ? "ipv6" : "ipv4");
  }
  return blocked;
}

const family = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");
const never = ranges(
  "0.0.0.0/8",
  "169.254.0.0/16",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  "100.100.100.200/32",
  "168.63.129.16/32",
);
const ownNetworks = ranges("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16");
const here = ranges("127.0.0.0/8");

describe("FR-020: the kind of an address", () => {
  test.each([
    ["8.8.8.8", "public"],
    ["93.184.216.34", "public"],
    ["2606:4700:4700::1111", "public"],
    ["64:ff9b::808:808", "public"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["::1", "loopback"],
    ["0:0:0:0:0:0:0:1", "loopback"],
    ["10.0.0.1", "private"],
    ["172.31.255.255", "private"],
    ["172.32.0.0", "public"],
    ["192.168.1.1", "private"],
    ["100.64.0.1", "private"],
    ["fd12:3456::1", "private"],
    ["0.0.0.0", "forbidden"],
    ["::", "forbidden"],
    ["169.254.169.254", "forbidden"],
    ["fe80::1", "forbidden"],
    ["fe80::1%eth0", "forbidden"],
    ["febf::1", "forbidden"],
    ["fec0::1", "forbidden"],
    ["ff02::1", "forbidden"],
    ["224.0.0.1", "forbidden"],
    ["255.255.255.255", "forbidden"],
    ["fd00:ec2::254", "forbidden"],
    ["100.100.100.200", "forbidden"],
    ["168.63.129.16", "forbidden"],
    ["::ffff:8.8.8.8", "forbidden"],
    ["::ffff:a9fe:a9fe", "forbidden"],
    ["::127.0.0.1", "forbidden"],
    ["64:ff9b::a9fe:a9fe", "forbidden"],
    ["64:ff9b::10.0.0.1", "forbidden"],
    ["64:ff9b:1::1", "forbidden"],
    ["2002:7f00:1::", "forbidden"],
    ["2001::1", "forbidden"],
    ["2001:db8::1", "forbidden"],
    ["100::1", "forbidden"],
    ["4000::1", "forbidden"],
    ["", "forbidden"],
    ["localhost", "forbidden"],
    ["127.1", "forbidden"],
    ["0x7f.0.0.1", "forbidden"],
    ["1.2.3.4.5", "forbidden"],
  ] as const)("%s is %s", (address, kind) => {
    expect(kindOf(address)).toBe(kind);
  });

  test("of every IPv4 address is what an independent list says", () => {
    const counted = { public: 0, private: 0, loopback: 0, forbidden: 0 };
    const octet = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0, 10, 100, 127, 169, 172, 192, 198, 203, 224, 254, 255, 168, 16, 31, 64),
    );
    fc.assert(
      fc.property(fc.tuple(octet, octet, octet, octet), (parts) => {
        const address = parts.join(".");
        const kind = kindOf(address);
        counted[kind] += 1;
        expect(kind === "forbidden", address).toBe(never.check(address));
        if (kind === "forbidden") return;
        expect(kind === "private", address).toBe(ownNetworks.check(address));
        expect(kind === "loopback", address).toBe(here.check(address));
      }),
      seed,
    );
    for (const [kind, count] of Object.entries(counted)) expect(count, kind).toBeGreaterThan(20);
  });

  test("of an IPv4 address written as IPv6 is never public, private or loopback", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.constantFrom("::ffff:", "::", "::ffff:0:", "2002:"), (address, prefix) => {
        const written = prefix === "2002:" ? `2002:${hex(address)}::1` : `${prefix}${address}`;
        fc.pre(isIP(written) === 6 && written !== "::0.0.0.1");
        expect(kindOf(written), written).toBe("forbidden");
      }),
      seed,
    );
  });

  test("does not depend on how an IPv6 address is spelt", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }), (groups) => {
        const long = groups.map((group) => group.toString(16).padStart(4, "0").toUpperCase()).join(":");
        const short = new URL(`http://[${long}]`).hostname.slice(1, -1);
        expect(kindOf(long)).toBe(kindOf(short));
        expect(isInNetworks(long, [short])).toBe(true);
      }),
      seed,
    );
  });
});

describe("networks", () => {
  test("hold what Node says they hold", () => {
    let inside = 0;
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 1, max: 32 }), (address, network, length) => {
        const answer = isInNetworks(address, [`${network}/${length}`]);
        if (answer) inside += 1;
        expect(answer).toBe(ranges(`${network}/${length}`).check(address, family(address)));
        expect(isInNetworks(network, [`${network}/${length}`])).toBe(true);
      }),
      seed,
    );
    expect(inside).toBeGreaterThan(50);
  });

  test("of one version hold no address of the other", () => {
    expect(isInNetworks("::ffff:10.0.0.1", ["10.0.0.0/8"])).toBe(false);
    expect(isInNetworks("10.0.0.1", ["::/1", "fc00::/7"])).toBe(false);
    expect(isInNetworks("fd00::1", ["fd00::/8"])).toBe(true);
    expect(isInNetworks("10.0.0.1", [])).toBe(false);
  });
});

function hex(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}
