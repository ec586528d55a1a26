import { randomBytes, randomInt } from "node:crypto";
import { uuidv7 } from "uuidv7";

/** Where identifiers and drawn numbers come from; tests hand in their own. */
export interface Ids {
  /** A task id: UUID, version 7. */
  task(): string;
  /** A drawn seed, 0 to 2147483647. */
  seed(): number;
  /** 256 random bits in base64url, for session tokens and lease owners. */
  token(): string;
}

const SEEDS = 2_147_483_648;

export function createRandomIds(): Ids {
  return {
    task: () => uuidv7(),
    seed: () => randomInt(SEEDS),
    token: () => randomBytes(32).toString("base64url"),
  };
}
