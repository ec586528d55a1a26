// The session's cookie is out of reach of scripts, so the page remembers until when one was given. A cookie that went
// away earlier shows in the first refused request.

const storageKey = "safelight.session-expires";
let expiry: string | null = readExpiry();

export function isSessionHeld(): boolean {
  return expiry !== null && Date.parse(expiry) > Date.now();
}

/** Takes note of a new session's end (ISO 8601), or with null that there is no session. */
export function keepSessionExpiry(next: string | null): void {
  expiry = next;
  try {
    if (next === null) localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, next);
  } catch {
    // Without storage the next visit opens a session of its own.
  }
}

function readExpiry(): string | null {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null;
  }
}
