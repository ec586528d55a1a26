import type { LucideIcon } from "lucide-react";

export interface MenuItem {
  label: string;
  icon?: LucideIcon;
  /** What a press does; an item with an address goes there instead. */
  run?: () => void;
  href?: string;
  danger?: boolean;
  /** The key that does the same. */
  keys?: string;
  /** For a choice among several: whether it is the one in force. */
  checked?: boolean;
  /** Why it cannot be used now; it stays readable. */
  disabledReason?: string | null;
}

/** Groups of items, parted by a line. */
export type MenuGroups = readonly (readonly MenuItem[])[];
