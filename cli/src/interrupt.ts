// Ctrl-C. npm and the shell pass a signal on, so one press can arrive twice within milliseconds: only a second one that comes
// clearly later means "now".
const deliberateMs = 2000;

export interface InterruptHandlers {
  /** The first signal: end in good order. */
  first(signal: NodeJS.Signals): void;
  /** A later one: end at once. */
  second(signal: NodeJS.Signals): void;
}

/** Listens for SIGINT and SIGTERM until the returned function is called. */
export function onInterrupt(handlers: InterruptHandlers): () => void {
  let firstAt: number | null = null;
  const listen = (signal: NodeJS.Signals) => {
    if (firstAt === null) {
      firstAt = performance.now();
      handlers.first(signal);
    } else if (performance.now() - firstAt >= deliberateMs) handlers.second(signal);
  };
  process.on("SIGINT", listen);
  process.on("SIGTERM", listen);
  return () => {
    process.off("SIGINT", listen);
    process.off("SIGTERM", listen);
  };
}
