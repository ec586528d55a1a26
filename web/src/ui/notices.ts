// Notices of the operating system: whether the person wants them, whether the browser allows them, and showing one.
import { useSyncExternalStore } from "react";

/** `missing`: this browser cannot, or not at this address; `refused`: the person has said no to the browser. */
export type NoticeState = "on" | "off" | "refused" | "missing";

export interface Notice {
  title: string;
  body: string;
  /** A notice with the same tag takes the place of the one before. */
  tag: string;
  picture?: string | null;
  onPress: () => void;
}

const storageKey = "safelight.notices";
const listeners = new Set<() => void>();
let wanted = readWanted();

/** How things stand, and the switch. Permission is asked for only by a press of it. */
export function useNotices(): { state: NoticeState; toggle: () => Promise<NoticeState> } {
  return { state: useSyncExternalStore(subscribe, noticeState), toggle };
}

export function noticeState(): NoticeState {
  if (typeof Notification === "undefined" || !window.isSecureContext) return "missing";
  if (Notification.permission === "denied") return "refused";
  return wanted && Notification.permission === "granted" ? "on" : "off";
}

/** Shows a notice when they are on; says whether it did. */
export function showNotice({ title, body, tag, picture, onPress }: Notice): boolean {
  if (noticeState() !== "on") return false;
  try {
    const notice = new Notification(title, { body, tag, ...(picture ? { icon: picture } : {}) });
    notice.addEventListener("click", () => {
      window.focus();
      notice.close();
      onPress();
    });
    return true;
  } catch {
    // Some phones know the name but let only service workers use it.
    return false;
  }
}

async function toggle(): Promise<NoticeState> {
  const state = noticeState();
  if (state === "on" || state === "off") setWanted(state === "off");
  if (state === "off" && Notification.permission === "default") await Notification.requestPermission();
  for (const listener of listeners) listener();
  return noticeState();
}

function setWanted(next: boolean): void {
  wanted = next;
  try {
    localStorage.setItem(storageKey, next ? "on" : "off");
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

function readWanted(): boolean {
  try {
    return localStorage.getItem(storageKey) === "on";
  } catch {
    return false;
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
