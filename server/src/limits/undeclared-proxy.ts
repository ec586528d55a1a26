import type { IncomingHttpHeaders } from "node:http";
import { BlockList, isIPv6 } from "node:net";
import type { Clock } from "../context/clock.ts";
import type { Log } from "../log.ts";

/** How long one sighting is told of, in milliseconds: 1 hour. A header that a stranger sent once is no lasting complaint. */
const remembered = 60 * 60 * 1000;

const forwardingHeaders = [
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-real-ip",
  "forwarded",
] as const;

export interface Sighting {
  /** Address that the connection came from. */
  readonly peer: string;
  readonly header: string;
}

/**
 * Notices a proxy that TRUSTED_PROXIES does not name: behind it all callers have its address and share one limit. Headers alone decide
 * nothing else, because anybody can send them.
 */
export class UndeclaredProxy {
  readonly #declared = new BlockList();
  readonly #clock: Clock;
  readonly #log: Log;
  #last: (Sighting & { at: number }) | undefined;

  constructor(declared: readonly string[], { clock, log }: { clock: Clock; log: Log }) {
    for (const entry of declared) {
      const [address = "", length] = entry.split("/");
      const family = isIPv6(address) ? "ipv6" : "ipv4";
      if (length === undefined) this.#declared.addAddress(address, family);
      else this.#declared.addSubnet(address, Number(length), family);
    }
    this.#clock = clock;
    this.#log = log;
  }

  /** Looks at one request; the first sighting leaves a line in the log. */
  look(peer: string | undefined, headers: IncomingHttpHeaders): void {
    for (const header of forwardingHeaders) {
      if (headers[header] === undefined) continue;
      this.#see(peer ?? "", header);
      return;
    }
  }

  /** The last sighting, if it is not long ago. */
  get seen(): Sighting | null {
    const last = this.#last;
    return last === undefined || this.#clock.steady() - last.at > remembered ? null : last;
  }

  #see(peer: string, header: string): void {
    if (peer === "" || this.#declared.check(peer, isIPv6(peer) ? "ipv6" : "ipv4")) return;
    if (this.#last === undefined) {
      this.#log.warn(
        "requests come with forwarding headers from an address that TRUSTED_PROXIES does not name; the headers are not believed, and if this is a proxy all its callers share one limit",
        { peer, header },
      );
    }
    this.#last = { peer, header, at: this.#clock.steady() };
  }
}
