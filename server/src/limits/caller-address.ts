import { isIPv4, isIPv6 } from "node:net";

/**
 * What a limit per address counts by: an IPv4 address, the /64 of an IPv6 address (one household or machine has all of it), and for an
 * IPv4 address in IPv6 notation the IPv4 address. A port behind it is left out. Null where the text is no address.
 */
export function countedAddress(text: string): string | null {
  const plain = withoutPort(text.trim());
  if (isIPv4(plain)) return plain;
  if (!isIPv6(plain)) return null;
  const groups = groupsOf(plain.replace(/%.*$/, ""));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6);
    return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

/**
 * The address to count by, from the hops of a request: the connection first, then what trusted proxies say, as far as the last one that
 * is believed. A hop that a proxy passed on unread and that is no address does not count; its sender does.
 */
export function countedCaller(hops: readonly (string | undefined)[]): string {
  for (const hop of hops.toReversed()) {
    const address = hop === undefined ? null : countedAddress(hop);
    if (address !== null) return address;
  }
  return "unknown";
}

function withoutPort(text: string): string {
  return /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text;
}

/** The eight numbers of an IPv6 address that is known to be one. */
function groupsOf(address: string): number[] {
  // The URL parser writes every form of an address in one.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [front = "", back] = canonical.split("::");
  const numbers = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [first, last] = [numbers(front), numbers(back ?? "")];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}
