// Toasts are asked for anywhere and shown in one place; this is what lies between.

export interface ToastRequest {
  text: string;
  /** A second line: what to do. */
  detail?: string;
  /** Errors are announced at once and stay until they are closed. */
  tone?: "plain" | "error";
  /** A small picture of what it is about. */
  picture?: { url: string; pixelated?: boolean };
  action?: { label: string; run: () => void };
  /** Milliseconds on the page; time does not run while the pointer or focus is on it. */
  lasts?: number;
}

export interface Toast extends ToastRequest {
  id: number;
}

/** More than these would be a list, and nobody reads a list that goes away. */
const atMost = 3;

let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

/** Says something in the corner of the page. The function that comes back takes it away again. */
export function showToast(request: ToastRequest): () => void {
  lastId += 1;
  const id = lastId;
  const same = (toast: Toast) => toast.text === request.text && toast.detail === request.detail && !request.action;
  setToasts(withRoom([...toasts.filter((toast) => !same(toast)), { ...request, id }]));
  return () => closeToast(id);
}

export function closeToast(id: number): void {
  setToasts(toasts.filter((toast) => toast.id !== id));
}

export function readToasts(): readonly Toast[] {
  return toasts;
}

export function onToasts(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The oldest that is no error goes first; an error only when there is nothing else. */
function withRoom(wanted: readonly Toast[]): readonly Toast[] {
  if (wanted.length <= atMost) return wanted;
  const older = wanted.slice(0, -1);
  const leaving = older.find((toast) => toast.tone !== "error") ?? older[0];
  return wanted.filter((toast) => toast !== leaving);
}

function setToasts(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}
