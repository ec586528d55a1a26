import { Search } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useShortcuts } from "../../../ui/shortcuts.ts";
import { strings } from "../strings.ts";
import { useLatest } from "../use-latest.ts";

/** Typing rests this long before the search goes out, in milliseconds. */
const rest = 250;

/** Words of the prompt; what is typed goes into the address when the typing rests. */
export function SearchField({ value, onChange }: { value: string; onChange: (words: string) => void }) {
  const field = useRef<HTMLInputElement>(null);
  // What is being typed; null while the address speaks.
  const [typed, setTyped] = useState<string | null>(null);
  const change = useLatest(onChange);
  useEffect(() => {
    if (typed === null) return;
    const timer = setTimeout(() => {
      change.current(typed);
      setTyped(null);
    }, rest);
    return () => clearTimeout(timer);
  }, [typed, change]);
  useShortcuts(strings.keys.grid, {
    "/": { label: strings.keys.search, run: () => field.current?.focus() },
  });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && typed !== null) {
      change.current(typed);
      setTyped(null);
    } else if (event.key === "Escape") {
      event.preventDefault();
      if ((typed ?? value) === "") field.current?.blur();
      else setTyped("");
    }
  };
  return (
    <div className="filter-search">
      <Search className="icon" aria-hidden="true" />
      <input
        ref={field}
        className="input"
        type="search"
        dir="auto"
        aria-label={strings.search}
        placeholder={strings.search}
        maxLength={200}
        value={typed ?? value}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <kbd aria-hidden="true">/</kbd>
    </div>
  );
}
