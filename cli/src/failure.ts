// How a command ends when it does not succeed: one line on standard error and an exit code that scripts can tell apart.
import { ApiError } from "@safelight/contract";

/** Exit codes of every command. Ctrl-C is 130, as shells have it. */
export const exitCodes = {
  /** The task failed, the server refused for a reason other than the request itself, or a checked part is broken. */
  failed: 1,
  /** The command or the request is wrong: nothing was started. */
  usage: 2,
  /** No server could be reached or started, or it did not let us in. */
  unavailable: 3,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodesHelp = `
Exit codes:
  0    done
  1    the task failed, or what was checked (smoke, audit verify) is broken
  2    the command or a parameter is wrong
  3    no server could be reached or started, or it did not let us in
  130  interrupted; the task was cancelled
`;

/** A failure that is told to the person in one line. `code` is a code of the contract where there is one. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;
  readonly code: string;

  constructor(exitCode: ExitCode, code: string, text: string, cause?: unknown) {
    super(text, cause === undefined ? undefined : { cause });
    this.name = "CommandError";
    this.exitCode = exitCode;
    this.code = code;
  }
}

/** A wrong command, flag or file. */
export function usageError(text: string): CommandError {
  return new CommandError(exitCodes.usage, "usage", text);
}

/** Turns anything thrown into what is printed and returned. */
export function toCommandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  if (error instanceof ApiError) return fromApi(error);
  if (error instanceof Error && error.name === "StartupError") {
    return new CommandError(exitCodes.unavailable, "not_started", oneLine(error.message), error);
  }
  if (isNetworkFailure(error)) {
    const reason = causeCode(error) ?? (error as Error).message;
    const text = `The server does not answer (${reason}). Check --url and SAFELIGHT_URL, and that it runs.`;
    return new CommandError(exitCodes.unavailable, "unreachable", text, error);
  }
  return new CommandError(
    exitCodes.failed,
    "internal",
    oneLine(error instanceof Error ? error.message : String(error)),
    error,
  );
}

/** True when the request may never have arrived, so that asking again is right. */
export function isNetworkFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === "TimeoutError") return true;
  const code = causeCode(error);
  return (error instanceof TypeError && /fetch failed|terminated|network/i.test(error.message)) || isSocketCode(code);
}

/** One line for the terminal: what kind of failure, what happened, what to do. */
export function failureLine(error: CommandError): string {
  return `safelight: ${error.code}: ${oneLine(error.message)}`;
}

function fromApi(error: ApiError): CommandError {
  if (error.problem === null) {
    const text = `The address answers ${error.status}, but not as a Safelight server does.`;
    return new CommandError(exitCodes.unavailable, "not_safelight", text, error);
  }
  const { code, detail, user_action, errors, correlation_id } = error.problem;
  const fields = (errors ?? []).map((field) => field.message).filter((message) => !detail.includes(message));
  const trace = code === "internal" ? ` (correlation id ${correlation_id})` : "";
  const text = [detail, ...fields, user_action].join(" ");
  return new CommandError(exitCodeOf(error.status), code, `${text}${trace}`, error);
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCodes.unavailable;
  if (status === 503 || status === 502) return exitCodes.unavailable;
  return status >= 400 && status < 500 && status !== 409 && status !== 410 ? exitCodes.usage : exitCodes.failed;
}

function causeCode(error: unknown): string | undefined {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === "string") return code;
  return cause instanceof Error ? causeCode(cause) : undefined;
}

function isSocketCode(code: string | undefined): boolean {
  return code !== undefined && /^(?:ECONN|EPIPE|ENOTFOUND|EHOST|ENET|ETIMEDOUT|EAI_|UND_ERR_)/.test(code);
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").trim();
}
