import { channels } from "../gateways/channels.ts";
import { Follower } from "../gateways/follower.ts";
import type { SecretBook } from "./secret-book.ts";

/** Less than the five seconds that are promised, in milliseconds. */
const every = 4000;

/**
 * Has a gateway hear at once what others on its database change in secrets and API keys: what was revoked there is dead here, and streams
 * that were opened with it end. Where it is not up to date nobody may be let in.
 */
export function followSecrets(book: SecretBook): Follower {
  const read = async (): Promise<void> => {
    await Promise.all([book.apiKeys.reload(), book.reload()]);
  };
  return new Follower(book.parts.context, {
    channels: [channels.apiKeys, channels.secrets],
    read,
    every,
    what: "secrets",
  });
}
