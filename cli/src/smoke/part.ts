// What a part of an installation is to the checks.
import type { RouteName } from "@safelight/contract";
import type { Operator } from "./operator.ts";
import type { Probe } from "./probe.ts";

export interface PartContext {
  probe: Probe;
  /** What POST /auth/session wants where the installation has an access password. */
  password: string | undefined;
  /** Logs in to the routes for operators, once for all parts. Complains where no admin key is known: nothing passes by skipping. */
  operator: () => Promise<Operator>;
}

export interface Part {
  name: string;
  /** Routes that it needs; all of them belong to every release of this contract. */
  routes: readonly RouteName[];
  /** Resolves with what was seen, in a few words; throws when the part is broken. */
  check(context: PartContext): Promise<string>;
}
