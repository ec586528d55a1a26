import type { Context } from "../context/context.ts";
import { channels } from "../gateways/channels.ts";
import { Follower } from "../gateways/follower.ts";
import { type AccountRegistry, checkIsDue } from "./registry.ts";

/** What a change elsewhere that nobody told of costs meanwhile is a run that its worker refuses, or a check that comes later. */
const every = 15_000;

/** Has a gateway route by what others have changed of worker accounts, and by what their checks have found, as soon as they say so. */
export function followAccounts(context: Context, registry: AccountRegistry): Follower {
  const read = async (): Promise<void> => {
    await registry.standings.reload();
    await registry.changed();
  };
  const otherwise = (text: string): boolean => {
    if (text === checkIsDue) registry.wakeChecks();
    return text === checkIsDue;
  };
  return new Follower(context, { channels: [channels.accounts], read, every, what: "worker accounts", otherwise });
}
