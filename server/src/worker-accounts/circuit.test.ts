import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Circuit,
  type CircuitEvent,
  circuitAt,
  closedCircuit,
  failureCountsMs,
  failuresToOpen,
  firstPauseMs,
  longestPauseMs,
  mayBegin,
  nextCircuit,
} from "./circuit.ts";

// The same values in every run, so that a red build is red again.
fc.configureGlobal({ seed: 20_260_304 });

const bad: CircuitEvent = { type: "bad", probe: false };
const begin: CircuitEvent = { type: "begin" };

function after(events: readonly [CircuitEvent, number][], start: Circuit = closedCircuit): Circuit {
  return events.reduce((circuit, [event, now]) => nextCircuit(circuit, event, now), start);
}

describe("the circuit of an account", () => {
  test("opens at the third failure within five minutes, not at failures further apart", () => {
    expect(
      after([
        [bad, 0],
        [bad, 1],
      ]),
    ).toMatchObject({ state: "closed", failures: [0, 1] });
    expect(
      after([
        [bad, 0],
        [bad, 1],
        [bad, failureCountsMs - 1],
      ]),
    ).toMatchObject({ state: "open" });
    const apart = after([
      [bad, 0],
      [bad, 1],
      [bad, failureCountsMs],
    ]);
    expect(apart).toMatchObject({ state: "closed", failures: [1, failureCountsMs] });
  });

  test("good runs and runs that say nothing leave it as it is", () => {
    const two = after([
      [bad, 0],
      [bad, 1],
    ]);
    for (const type of ["good", "none"] as const) expect(nextCircuit(two, { type, probe: false }, 2)).toEqual(two);
  });

  test("is half open after thirty seconds, for one run alone", () => {
    const open = after([
      [bad, 0],
      [bad, 0],
      [bad, 0],
    ]);
    expect(mayBegin(open, firstPauseMs - 1)).toBe(false);
    expect(mayBegin(open, firstPauseMs)).toBe(true);
    const probing = nextCircuit(open, begin, firstPauseMs);
    expect(mayBegin(probing, firstPauseMs)).toBe(false);
    // What began before it opened says nothing about now.
    expect(nextCircuit(probing, { type: "good", probe: false }, firstPauseMs)).toEqual(probing);
    expect(nextCircuit(probing, { type: "bad", probe: false }, firstPauseMs)).toEqual(probing);
    expect(nextCircuit(probing, { type: "good", probe: true }, firstPauseMs)).toEqual(closedCircuit);
    expect(mayBegin(nextCircuit(probing, { type: "none", probe: true }, firstPauseMs), firstPauseMs)).toBe(true);
  });

  test("stays open twice as long after each probe that fails, up to five minutes; a good one begins anew", () => {
    let circuit = after([
      [bad, 0],
      [bad, 0],
      [bad, 0],
    ]);
    const pauses: number[] = [];
    for (let now = 0; pauses.length < 6; ) {
      const until = circuit.until ?? 0;
      pauses.push(until - now);
      now = until;
      circuit = after(
        [
          [begin, now],
          [{ type: "bad", probe: true }, now],
        ],
        circuit,
      );
    }
    expect(pauses.map((pause) => pause / 1000)).toEqual([30, 60, 120, 240, 300, 300]);
    const until = circuit.until ?? 0;
    circuit = after(
      [
        [begin, until],
        [{ type: "good", probe: true }, until],
        [bad, until],
        [bad, until],
        [bad, until],
      ],
      circuit,
    );
    expect((circuit.until ?? 0) - until).toBe(firstPauseMs);
  });

  test("whatever happens: open only with its failures, never longer than the longest pause, at most one probe", () => {
    const event = fc.record({
      wait: fc.integer({ min: 0, max: 400_000 }),
      type: fc.constantFrom("begin", "good", "bad", "none"),
      asProbe: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let now = 0;
        let circuit = closedCircuit;
        for (const { wait, type, asProbe } of events) {
          now += wait;
          const before = circuitAt(circuit, now);
          // Nothing begins where nothing may begin.
          if (type === "begin" && !mayBegin(circuit, now)) continue;
          const probe = asProbe && before.probing;
          circuit = nextCircuit(circuit, type === "begin" ? { type } : { type, probe }, now);
          if (circuit.state === "open") {
            expect(circuit.failures.length).toBeGreaterThanOrEqual(failuresToOpen);
            expect((circuit.until ?? 0) - now).toBeLessThanOrEqual(longestPauseMs);
            expect(mayBegin(circuit, (circuit.until ?? 0) - 1)).toBe(false);
            expect(mayBegin(circuit, circuit.until ?? 0)).toBe(true);
          } else expect(circuit.until).toBeNull();
          if (circuit.probing) expect([circuit.state, mayBegin(circuit, now)]).toEqual(["half_open", false]);
          if (type !== "bad" && before.state === "closed") expect(circuit.state).toBe("closed");
        }
      }),
    );
  });
});
