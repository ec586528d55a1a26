// What a key press is called, on any keyboard layout, and who else wants it.
import { strings } from "./strings.ts";

/** Keys that act again while they are held. */
const repeating = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", ",", ".", "j", "k"]);
const moving = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]);
const pressing = new Set([" ", "Enter"]);
const punctuation: Readonly<Record<string, string>> = { Comma: ",", Period: "." };

/**
 * The name under which a press is looked up: "g", "?", "Delete", "shift+ArrowLeft", "mod+Enter". A letter is taken from its
 * place on the keyboard where the layout has no Latin letters, so that the same keys work under a Cyrillic one.
 */
export function pressName(event: KeyboardEvent): string {
  const key = latinKey(event);
  const mod = event.ctrlKey || event.metaKey ? "mod+" : "";
  // "?" already says Shift; a letter or an arrow does not.
  const shift = event.shiftKey && (key.length > 1 || /^[a-z ]$/.test(key)) ? "shift+" : "";
  return `${event.altKey ? "alt+" : ""}${mod}${shift}${key}`;
}

export function mayRepeat(name: string): boolean {
  return repeating.has(name.replace("shift+", ""));
}

/** Whether the press belongs to the element that has the focus: typing, moving a slider, pressing a button. */
export function belongsToFocus(name: string, target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest("[data-keys-rest], [role=menu], [role=listbox]") !== null) return true;
  if (name.startsWith("mod+")) return false;
  if (name === "Escape") return isField(target);
  if (isField(target)) return true;
  const key = name.replace("shift+", "");
  if (moving.has(key) && target.matches("input, select, [role=slider], [role=tab], [role=radio]")) return true;
  return pressing.has(key) && target.matches("button, a, summary, input, [role=button], [role=option], [role=slider]");
}

function isField(target: Element): boolean {
  if (target instanceof HTMLElement && target.isContentEditable) return true;
  return target.matches(
    "textarea, select, input:not([type=checkbox], [type=radio], [type=range], [type=button], [type=submit], [type=file])",
  );
}

function latinKey(event: KeyboardEvent): string {
  if (event.key.length > 1) return event.key;
  const plain = event.key.toLowerCase();
  if (plain.charCodeAt(0) < 128) return plain;
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  return letter?.toLowerCase() ?? punctuation[event.code] ?? plain;
}

/** How a key is printed: each inner list is pressed together, one list after the other. */
export function keyCaps(key: string): string[][] {
  return key
    .split(/ (?!$)/)
    .filter((part) => part !== "")
    .map((part) => (part === "+" ? ["+"] : part.split("+").map(capOf)))
    .map((caps) => (caps.length === 0 ? [strings.keys.space] : caps));
}

function capOf(name: string): string {
  const isApple = typeof navigator !== "undefined" && /mac|iphone|ipad/i.test(navigator.userAgent);
  const caps: Readonly<Record<string, string>> = {
    mod: isApple ? "⌘" : strings.keys.control,
    shift: strings.keys.shift,
    " ": strings.keys.space,
    "": strings.keys.space,
    Enter: strings.keys.enter,
    Escape: strings.keys.escape,
    Delete: strings.keys.delete,
    ArrowLeft: "←",
    ArrowRight: "→",
    ArrowUp: "↑",
    ArrowDown: "↓",
    PageUp: strings.keys.pageUp,
    PageDown: strings.keys.pageDown,
    Home: strings.keys.home,
    End: strings.keys.end,
  };
  return caps[name] ?? name.toUpperCase();
}
