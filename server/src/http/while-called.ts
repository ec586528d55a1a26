import { SafelightError } from "../errors.ts";
import type { Installation } from "./installation.ts";
import { type Call, credentialOf } from "./register.ts";

/**
 * Work that is worth doing only as long as somebody waits for it: its signal fires when the caller leaves, the server stops, or the
 * credential of the call is revoked or cannot be checked meanwhile. Errors: `session_expired` and `auth_unavailable` for these, else
 * those of the work.
 */
export async function whileCalled<T>(
  installation: Installation,
  call: Pick<Call, "credential" | "request">,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const end = () => over.abort(new SafelightError("worker_unreachable", "The question was given up."));
  let refusal: SafelightError | undefined;
  const forget = installation.streams.track(credentialOf(call), (why) => {
    refusal =
      why === "ended"
        ? new SafelightError("session_expired", "This session has ended.")
        : new SafelightError("auth_unavailable", "Who may come in cannot be checked at the moment.");
    end();
  });
  const { socket } = call.request.raw;
  // Who left while the credential was looked up closes nothing any more.
  if (socket.destroyed) end();
  socket.once("close", end);
  installation.stopping.addEventListener("abort", end);
  if (installation.stopping.aborted) end();
  const checkRevoked = (): void => {
    if (refusal !== undefined && !installation.stopping.aborted) throw refusal;
  };
  try {
    const value = await work(over.signal);
    checkRevoked();
    return value;
  } catch (error) {
    checkRevoked();
    throw error;
  } finally {
    forget();
    socket.removeListener("close", end);
    installation.stopping.removeEventListener("abort", end);
  }
}
