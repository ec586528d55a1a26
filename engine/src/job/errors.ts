export type EngineErrorCode = "engine_failed" | "out_of_memory" | "storage_failed" | "invalid_reference";

/** The job failed; the child process is alive and takes the next one. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = "EngineError";
    this.code = code;
  }
}

/** The child process died in the middle of a run; the host has arranged a new one. */
export class EngineCrashed extends Error {
  constructor(detail: string) {
    super(detail);
    this.name = "EngineCrashed";
  }
}

/** A second job was given to a host that is still at work. */
export class EngineBusy extends Error {
  constructor() {
    super("The engine draws one job at a time.");
    this.name = "EngineBusy";
  }
}
