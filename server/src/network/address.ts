/** What kind of place an IP address names. Everything here works on numbers: a text has many spellings, an address has one. */
import { isIP } from "node:net";

/**
 * `forbidden` is never connected to, whatever a setting says: link-local (where clouds keep their metadata), multicast, unspecified,
 * reserved ranges, and IPv6 spellings of IPv4 addresses, which exist to slip past checks such as this one.
 */
export type AddressKind = "public" | "private" | "loopback" | "forbidden";

interface Range {
  readonly version: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

const forbidden = [
  "0.0.0.0/8",
  "169.254.0.0/16",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  // Metadata services that stand outside the link-local range.
  "100.100.100.200/32",
  "168.63.129.16/32",
  "fd00:ec2::254/128",
].map(parseRange);
const loopback = ["127.0.0.0/8", "::1/128"].map(parseRange);
const privateRanges = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"].map(parseRange);
// Of IPv6 only what is handed out to the public counts as public; these lie inside it and are not.
const global6 = parseRange("2000::/3");
const notGlobal6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"].map(parseRange);
// Names of IPv4-only hosts, as networks without IPv4 see them; judged by the address inside.
const translated = parseRange("64:ff9b::/96");

/** The kind of an address; a text that is none is forbidden. */
export function kindOf(address: string): AddressKind {
  const parsed = parseAddress(address);
  if (parsed === null || isIn(parsed, forbidden)) return "forbidden";
  if (isIn(parsed, loopback)) return "loopback";
  if (isIn(parsed, privateRanges)) return "private";
  if (parsed.version === 4) return "public";
  if (isIn(parsed, [translated])) {
    return kindOf(writeAddress4(parsed.value & 0xffff_ffffn)) === "public" ? "public" : "forbidden";
  }
  return isIn(parsed, [global6]) && !isIn(parsed, notGlobal6) ? "public" : "forbidden";
}

/** Whether an address lies in one of the networks, each an address or a CIDR range. */
export function isInNetworks(address: string, networks: readonly string[]): boolean {
  const parsed = parseAddress(address);
  return parsed !== null && isIn(parsed, networks.map(parseRange));
}

interface ParsedAddress {
  readonly version: 4 | 6;
  readonly value: bigint;
}

function isIn({ version, value }: ParsedAddress, ranges: readonly Range[]): boolean {
  return ranges.some((range) => range.version === version && range.first <= value && value <= range.last);
}

function parseRange(text: string): Range {
  const [address = "", length] = text.split("/");
  const parsed = parseAddress(address);
  if (parsed === null) throw new TypeError(`${text} is no network`);
  const bits = parsed.version === 4 ? 32 : 128;
  const size = 1n << BigInt(bits - Number(length ?? bits));
  const first = (parsed.value / size) * size;
  return { version: parsed.version, first, last: first + size - 1n };
}

function parseAddress(text: string): ParsedAddress | null {
  const version = isIP(text);
  if (version === 4) return { version: 4, value: parseAddress4(text) };
  // A zone (fe80::1%eth0) names an interface of this machine; nothing that is reached by one is a worker.
  if (version !== 6 || text.includes("%")) return null;
  return { version: 6, value: parseAddress6(text) };
}

function parseAddress4(text: string): bigint {
  return text.split(".").reduce((value, part) => value * 256n + BigInt(part), 0n);
}

function parseAddress6(text: string): bigint {
  const tail = /(?:^|:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1];
  const written = tail === undefined ? text : text.slice(0, -tail.length) + groupsOf4(parseAddress4(tail));
  const [head = "", rest] = written.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = rest === undefined || rest === "" ? [] : rest.split(":");
  const gap = rest === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: gap }, () => "0"), ...right];
  return groups.reduce((value, group) => value * 65_536n + BigInt(`0x${group}`), 0n);
}

function groupsOf4(value: bigint): string {
  return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
}

function writeAddress4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join(".");
}
