/** Where a worker may be, judged twice: as its address is written, and as its name resolves at the moment of the connection. */
import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { isLoopbackHost } from "../config.ts";
import { type AddressKind, isInNetworks, kindOf } from "./address.ts";
import { TransportError } from "./transport-error.ts";

export interface DestinationRules {
  /** Addresses and CIDR ranges (WORKER_NETWORKS) in which private addresses are allowed. */
  readonly workerNetworks: readonly string[];
  /** The account's own flag: plain http beyond this machine. */
  readonly allowPlainHttp: boolean;
}

/** One resolved address, as `dns.lookup` gives it. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Every address of a name; tests bring their own. */
export type Resolve = (name: string) => Promise<readonly ResolvedAddress[]>;

/**
 * The base URL of a worker, parsed. Errors: TransportError `bad_url` for anything but an http(s) address without user, query and
 * fragment; `plain_http`; `address_refused` for an address, written as such, that no worker may have.
 */
export function parseDestination(text: string, rules: DestinationRules): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    throw new TransportError("bad_url", "The base URL must be an http or https address.");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "" || /[?#]/.test(text)) {
    throw new TransportError("bad_url", "The base URL must not hold a user, a password, a query or a fragment.");
  }
  const host = hostOf(url);
  if (url.protocol === "http:" && !rules.allowPlainHttp && !isLoopbackHost(host)) {
    throw new TransportError(
      "plain_http",
      "Plain http would send the worker's key readable through the network: use https, or allow plain http for this account.",
    );
  }
  if (isIP(host) > 0) checkAddress(host, host, rules);
  return url;
}

/** Host name or address without the brackets of IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}

/**
 * A lookup for `net.connect` that hands out only addresses which the rules allow, so that what was checked is what is connected to. A
 * name with one refused address among good ones is refused as a whole: no honest worker has such a name.
 */
export function createCheckedLookup(rules: DestinationRules, resolve: Resolve = resolveBySystem): LookupFunction {
  const checked = async (name: string) => checkAddresses(name, await resolve(name), rules);
  return (name, { all }, callback) => {
    // By nextTick, so that what the caller throws is the caller's and no rejection of ours.
    void checked(name).then(
      (addresses) => {
        if (all === true) process.nextTick(callback, null, addresses);
        else process.nextTick(callback, null, addresses[0]?.address, addresses[0]?.family);
      },
      (error: unknown) => process.nextTick(callback, error, []),
    );
  };
}

function checkAddresses(
  name: string,
  addresses: readonly ResolvedAddress[],
  rules: DestinationRules,
): readonly { address: string; family: number }[] {
  if (addresses.length === 0) throw new TransportError("unreachable", `The name ${name} has no address.`);
  for (const { address } of addresses) checkAddress(name, address, rules);
  return addresses.map(({ address, family }) => ({ address, family }));
}

function checkAddress(host: string, address: string, rules: DestinationRules): void {
  const kind = kindOf(address);
  if (isAllowed(kind, host, address, rules)) return;
  const what = host === address ? address : `${host} (${address})`;
  const advice = kind === "private" ? " Add its network to WORKER_NETWORKS if the worker really is there." : "";
  throw new TransportError("address_refused", `${what} is a ${words[kind]} and is not called.${advice}`);
}

const words: Readonly<Record<AddressKind, string>> = {
  public: "public address",
  private: "private address",
  loopback: "loopback address behind another name",
  forbidden: "link-local, multicast, reserved or metadata address",
};

function isAllowed(kind: AddressKind, host: string, address: string, rules: DestinationRules): boolean {
  switch (kind) {
    case "public":
      // Plain http goes to localhost because nobody else can read it there; that has to be true.
      return !isLoopbackHost(host);
    case "private":
      return !isLoopbackHost(host) && isInNetworks(address, rules.workerNetworks);
    case "loopback":
      // An operator who writes localhost means it; a name elsewhere that points here is somebody's trick.
      return isLoopbackHost(host) || isInNetworks(address, rules.workerNetworks);
    case "forbidden":
      return false;
  }
}

function resolveBySystem(name: string): Promise<readonly ResolvedAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(name, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
  });
}
