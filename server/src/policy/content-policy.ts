import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import type { Resolve } from "../network/destination.ts";
import { builtInRules } from "./built-in.ts";
import { type ModerationQuestion, ModerationService } from "./moderation.ts";
import { PolicyRules, type PolicyState } from "./policy-file.ts";
import { findRefusal, type PolicyField } from "./rules.ts";

export interface PolicyRefusal {
  /** Name of the rule; `moderation:` stands before those of the service. */
  readonly rule: string;
  readonly field: PolicyField;
  /** Text for the caller, in the operator's words; null for the usual ones. */
  readonly message: string | null;
  /** Nobody has judged the prompt: the service did not, and the operator wants nothing to pass unjudged. */
  readonly unjudged: boolean;
}

/** Judges requests before they become tasks. It never logs or keeps a prompt. */
export class ContentPolicy {
  readonly #rules: PolicyRules;
  readonly #service: ModerationService | null;
  readonly #passUnjudged: boolean;
  readonly #log: Log;
  #failing = false;

  /** Throws a StartupError that names the setting at fault. */
  constructor(
    config: Pick<Config, "contentPolicyFile" | "moderation" | "workerNetworks">,
    log: Log,
    options: { readonly resolve?: Resolve } = {},
  ) {
    const { contentPolicyFile, moderation, workerNetworks } = config;
    this.#rules = new PolicyRules(builtInRules, contentPolicyFile, log);
    this.#service = moderation === null ? null : new ModerationService(moderation, workerNetworks, options);
    this.#passUnjudged = moderation?.onFailure === "accept";
    this.#log = log;
  }

  /** How the file and the service are, for operators; `moderation` is null where none is set. */
  get state(): PolicyState & { readonly moderation: "ok" | "failing" | null } {
    this.#rules.current();
    return { ...this.#rules.state, moderation: this.#service === null ? null : this.#failing ? "failing" : "ok" };
  }

  /** Null where the request may become a task. The service is asked only for what the rules let through. */
  async judge(question: ModerationQuestion, signal?: AbortSignal): Promise<PolicyRefusal | null> {
    const rule = findRefusal(this.#rules.current(), question);
    if (rule !== null) return { rule: rule.name, field: rule.field, message: rule.message, unjudged: false };
    if (this.#service === null) return null;
    const verdict = await this.#service.ask(question, signal);
    if (verdict.allowed === null) return this.#unjudged(verdict.reason);
    this.#note(false, "");
    if (verdict.allowed) return null;
    return { rule: `moderation:${verdict.rule}`, field: "prompt", message: null, unjudged: false };
  }

  /** Reads the file of rules again. */
  reload(): void {
    this.#rules.reload();
  }

  close(): void {
    this.#service?.close();
  }

  #unjudged(reason: string): PolicyRefusal | null {
    this.#note(true, reason);
    if (this.#passUnjudged) return null;
    return { rule: "moderation:unavailable", field: "prompt", message: null, unjudged: true };
  }

  /** One line when it begins to fail and one when it is well again, however many requests come. */
  #note(failing: boolean, reason: string): void {
    if (failing === this.#failing) return;
    this.#failing = failing;
    if (!failing) this.#log.info("the moderation service answers again");
    else this.#log.error("the moderation service gives no verdict", { reason, passes_unjudged: this.#passUnjudged });
  }
}
