import type { Client } from "pg";
import type { SharedClock } from "../database.ts";

/** Milliseconds of this machine that only ever move on; since when does not matter. */
export type MachineClock = () => number;

const machineClock: MachineClock = () => performance.now();
/** The shortest of so many round trips says most about the time at the other end. */
const roundTrips = 5;
/** While this clock is ahead it goes so much slower than time does. */
const slowed = 0.5;

/**
 * The database's time, without asking it each time: how far it is from the steady clock of this machine is measured now and then. Nobody's
 * wall clock plays a part but the database's, so gateways agree within half a round trip, however wrong their machines are.
 *
 * It never goes back. Where it is found to be ahead it goes at half its speed until it is right; where it is behind it jumps.
 */
export class DatabaseClock implements SharedClock {
  readonly #machine: MachineClock;
  /** From the machine's time to the database's, as last measured. */
  #offset: number | undefined;
  /** How much was ahead when that was measured, and when on this machine. */
  #ahead = 0;
  #measuredAt = 0;
  #last = 0;

  constructor(machine: MachineClock = machineClock) {
    this.#machine = machine;
  }

  /** Throws before the first measurement. */
  readonly now = (): number => {
    this.#last = Math.max(this.#last, Math.floor(this.#read(this.#machine())));
    return this.#last;
  };

  readonly steady = this.now;

  /** Milliseconds since the last measurement; infinite before the first. */
  get age(): number {
    return this.#offset === undefined ? Number.POSITIVE_INFINITY : this.#machine() - this.#measuredAt;
  }

  async measure(client: Pick<Client, "query">): Promise<void> {
    let best = { sent: 0, received: Number.POSITIVE_INFINITY, time: 0 };
    for (let trip = 0; trip < roundTrips; trip += 1) {
      const sent = this.#machine();
      const { rows } = await client.query<{ time: number }>({
        name: "time",
        text: "SELECT extract(epoch FROM clock_timestamp()) * 1000 AS time",
      });
      const received = this.#machine();
      const time = Number(rows[0]?.time);
      if (received - sent < best.received - best.sent) best = { sent, received, time };
    }
    this.#take(best.time - best.received, best.time - best.sent);
  }

  /** The offset lies between these. The one in use stays where they allow it, so that round trips of different lengths do not move it. */
  #take(least: number, most: number): void {
    const now = this.#machine();
    const before = this.#offset;
    const offset = before === undefined ? (least + most) / 2 : Math.min(Math.max(before, least), most);
    if (before !== undefined) this.#ahead = Math.max(0, this.#read(now) - now - offset);
    this.#offset = offset;
    this.#measuredAt = now;
  }

  #read(now: number): number {
    if (this.#offset === undefined) throw new Error("the time of the database was not asked yet");
    const stillAhead = Math.max(0, this.#ahead - (now - this.#measuredAt) * slowed);
    return now + this.#offset + stillAhead;
  }
}
